"""The one JSON document that a run prints, of at most 40 KiB."""
LIMIT = 40_000


def slugged(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:24] or "group"


def cut_columns(result):
    """The steps by which a profile gets smaller, the least telling parts first."""
    yield [column.pop("months", 0) for column in result["columns"]]
    yield result.update(groups=result["groups"][:3], tops=result["tops"][:2])
    yield [column.update(top=column["top"][:4]) for column in result["columns"] if "top" in column]
    yield result.update(oddities=result["oddities"][:40])
    yield result.update(columns=result["columns"][:120])
    yield [column.pop("top", 0) for column in result["columns"][20:]]
    yield result.update(columns=result["columns"][:60], correlations=result["correlations"][:6])
    yield result.update(columns=result["columns"][:25], oddities=result["oddities"][:15], load=result["load"][:2000])


def cut_answers(result):
    for most in (20, 10, 5, 3, 1):
        yield [table.update(rows=table["rows"][:most]) for entry in result["answers"] for table in entry.get("tables", [])]


def shrink(result):
    """Cuts the least telling parts until the document fits; `cut` says that it did."""
    steps = cut_columns(result) if "columns" in result else cut_answers(result) if "answers" in result else []
    while len(dump(result)) > LIMIT:
        result["cut"] = True
        if next(iter(steps), "end") == "end":
            break
    return result


def dump(result):
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


def main(work):
    """Runs `work` and prints its answer, or why there is none, as one line of JSON."""
    try:
        result = work(PARAMS)
    except Refusal as refusal:
        result = {"phase": PARAMS["phase"], "file": PARAMS["file"], "refused": short(str(refusal), 300)}
    except MemoryError:
        result = {"phase": PARAMS["phase"], "file": PARAMS["file"], "refused": "the file does not fit into the sandbox's limit of 512 MB of memory"}
    result["seconds"] = round(seconds(), 1)
    sys.stdout.buffer.write(dump(shrink(result)) + b"\n")
    sys.stdout.flush()
