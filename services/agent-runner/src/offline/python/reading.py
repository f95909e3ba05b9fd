"""Finds out by looking what a file is (encoding, kind, dialect, header) and reads it in bounded memory.

Every cell comes out as text; an empty cell is ''. What a file contains is data and is never run.
"""
import codecs
import csv
import io
import itertools
import json
import os
import re
import sys
import time
import warnings
from collections import Counter

os.environ.setdefault("MPLCONFIGDIR", os.path.abspath(".mpl"))
import numpy as np
import pandas as pd

STARTED = time.monotonic()
SAMPLE = 1 << 20
BLOCK = 1 << 20
DELIMITERS = [";", "\t", "|", ","]
MAX_LINE = 1 << 22
MARK = "\ue01f"
BOMS = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]
MAGIC = [
    (b"%PDF", "a PDF document"), (b"\x89PNG", "a PNG image"), (b"PK\x03\x04", "a ZIP archive (XLSX, DOCX and ODS are such archives too)"),
    (b"\x1f\x8b", "gzip-compressed data"), (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"), (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"), (b"PAR1", "a Parquet file"), (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"Obj\x01", "an Avro file"), (b"BZh", "bzip2-compressed data"), (b"\xfd7zXZ", "xz-compressed data"), (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
]
csv.field_size_limit(1 << 24)
warnings.simplefilter("ignore")


class Refusal(Exception):
    """The file cannot be worked on; the message says why and names the limit."""


def seconds():
    return time.monotonic() - STARTED


def blocks(path):
    with open(path, "rb") as file:
        while True:
            block = file.read(BLOCK)
            if not block:
                return
            yield block


def decodes(path, encoding):
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks(path):
            decoder.decode(block)
        decoder.decode(b"", True)
        return True
    except UnicodeDecodeError:
        return False


def utf16_guess(head):
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd > half * 0.4 and even < half * 0.02:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.02:
        return "utf-16-be"
    return None


def control_share(head):
    odd = sum(head.count(bytes([byte])) for byte in range(32) if byte not in (9, 10, 11, 12, 13, 27))
    return odd / max(1, len(head))


def find_encoding(path, head):
    """A Python codec name, or None for a file that is not text."""
    for bom, name in BOMS:
        if head.startswith(bom):
            return name
    if b"\0" in head:
        return utf16_guess(head)
    if control_share(head) > 0.02:
        return None
    if decodes(path, "utf-8"):
        return "utf-8"
    high = re.search(rb"[\x80-\x9f]", head)
    return "cp1252" if high and decodes(path, "cp1252") else "latin-1"


def spelled(path):
    """Traces of text that was decoded wrongly before it was stored."""
    garbled = replaced = 0
    for block in blocks(path):
        garbled += block.count(b"\xc3\x83\xc2") + block.count(b"\xc3\xa2\xe2\x82\xac")
        replaced += block.count(b"\xef\xbf\xbd")
    return garbled, replaced


def open_text(source):
    return open(source["path"], encoding=source["encoding"], newline="", errors="replace")


def sample_text(source):
    """The first part of the file, whole lines only."""
    with open_text(source) as file:
        text = file.read(SAMPLE // 4)
        rest = file.read(1)
    cut = text.rfind("\n")
    return text[:cut + 1] if rest and cut > 0 else text


def widths_of(text, delimiter):
    try:
        rows = [row for row in itertools.islice(csv.reader(io.StringIO(text), delimiter=delimiter), 400) if row]
    except csv.Error:
        return []
    return [len(row) for row in rows]


def score(text, delimiter):
    widths = widths_of(text, delimiter)
    if not widths:
        return None
    width, count = Counter(widths).most_common(1)[0]
    if width < 2:
        return None
    return round(count / len(widths), 1), widths[0] == width, width, delimiter


def find_delimiter(text, name):
    """The delimiter whose rows agree most on their width; None when the text is no table."""
    scores = [found for found in (score(text, delimiter) for delimiter in DELIMITERS) if found]
    lines = text.count("\n") + (not text.endswith("\n"))
    table = name.lower().endswith((".csv", ".tsv", ".tab", ".psv"))
    floor = 0.5 if table else 0.9
    scores = [found for found in scores if found[0] >= floor and (table or lines > 2)]
    if scores:
        return max(scores, key=lambda found: (found[1], found[0], found[2] if found[3] == "," else found[2] + 0.5))[3]
    if table or one_column(text):
        return ","
    return None


def is_prose(text, delimiter, name):
    """Sentences that happen to hold the same number of commas are no table."""
    if name.lower().endswith((".csv", ".tsv", ".tab", ".psv")):
        return False
    cells = [cell for row in itertools.islice(csv.reader(io.StringIO(text), delimiter=delimiter), 1, 200) for cell in row]
    return sum(cell.count(" ") for cell in cells) > 3 * max(1, len(cells))


def one_column(text):
    lines = [line for line in text.splitlines() if line.strip()][:400]
    short = [line for line in lines if len(line) <= 40 and " " not in line.strip() and "," not in line]
    return len(lines) > 5 and len(short) == len(lines)


NUMBERLIKE = re.compile(r"^[+-]?(\d[\d.,' ]*|\.\d+)([eE][+-]?\d+)?%?$")


def has_header(text, delimiter):
    rows = [row for row in itertools.islice(csv.reader(io.StringIO(text), delimiter=delimiter), 300) if row]
    if not rows:
        return False
    first, rest = rows[0], rows[1:]
    if any(NUMBERLIKE.match(cell.strip()) or re.match(r"^\d{4}-\d\d-\d\d", cell) for cell in first):
        return False
    filled = [cell for cell in first if cell.strip()]
    if len(set(filled)) < len(filled) * 0.8 or not filled:
        return False
    return not any(recurs(cell, [row[at] for row in rest if at < len(row)]) for at, cell in enumerate(first))


def recurs(cell, column):
    """A value of the first row that comes again below is a value, not a name."""
    return bool(cell.strip()) and column.count(cell) >= max(1, len(column) // 100)


def decimal_comma(text, delimiter):
    if delimiter == ",":
        return False
    cells = [cell.strip() for row in itertools.islice(csv.reader(io.StringIO(text), delimiter=delimiter), 1, 400) for cell in row]
    comma = sum(1 for cell in cells if re.match(r"^[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+$", cell))
    dot = sum(1 for cell in cells if re.match(r"^[+-]?\d+\.\d+$", cell))
    return comma > dot


def json_kind(text):
    """'jsonl', 'json' or None."""
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] not in "{[" or not start:
        return None
    lines = [line for line in start.splitlines() if line.strip()][:50]
    good = sum(1 for line in lines if is_json(line))
    if start[0] == "{" and good >= max(1, len(lines) * 0.6):
        return "jsonl"
    return "json"


def is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def look(name):
    """What the file is: {path, name, size, encoding, kind: table|jsonl|json|text|empty|binary, ...}."""
    path = os.path.join(".", name)
    if not os.path.isfile(path):
        raise Refusal("the file is not in the workspace of the sandbox")
    source = {"path": path, "name": name, "size": os.path.getsize(path), "kind": "empty", "encoding": "utf-8"}
    if source["size"] == 0:
        return source
    with open(path, "rb") as file:
        head = file.read(SAMPLE)
    magic = next((words for start, words in MAGIC if head.startswith(start)), None)
    encoding = None if magic else find_encoding(path, head)
    if encoding is None:
        return {**source, "kind": "binary", "encoding": None, "magic": magic or "bytes that are no text in UTF-8, UTF-16 or Latin-1"}
    source["encoding"] = encoding
    return look_at_text(source)


def look_at_text(source):
    text = sample_text(source)
    if not text.strip():
        return {**source, "kind": "empty"}
    kind = json_kind(text)
    if kind:
        return {**source, "kind": kind}
    delimiter = find_delimiter(text, source["name"])
    if delimiter is None or is_prose(text, delimiter, source["name"]):
        return {**source, "kind": "text"}
    header = has_header(text, delimiter)
    width = Counter(widths_of(text, delimiter)).most_common(1)[0][0]
    return {**source, "kind": "table", "delimiter": delimiter, "header": header, "width": width,
            "decimal": "," if decimal_comma(text, delimiter) else ".", "quoting": 0}


class Complaints(io.StringIO):
    """Counts the lines that pandas skips because they hold too many fields."""
    skipped = 0

    def write(self, text):
        self.skipped += len(re.findall(r"Skipping line \d+", text))
        return len(text)


def table_options(source, columns):
    names = None if source["header"] else ["column_%d" % (at + 1) for at in range(source["width"])]
    rows = max(500, min(100_000, 400_000 // max(1, source["width"])))
    return {"sep": source["delimiter"], "encoding": source["encoding"], "encoding_errors": "replace", "dtype": str, "na_filter": False,
            "header": 0 if source["header"] else None, "names": names, "usecols": columns, "index_col": False, "chunksize": rows,
            "on_bad_lines": "warn", "quoting": source["quoting"], "engine": "c"}


def table_frames(source, columns=None):
    complaints, real = Complaints(), sys.stderr
    sys.stderr = complaints
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            for frame in pd.read_csv(source["path"], **table_options(source, columns)):
                yield frame.fillna("").reset_index(drop=True)
    finally:
        sys.stderr = real
        source["skipped"] = complaints.skipped


def unquoted(source):
    """One stray quote can swallow the rest of a file: then quotes are read as plain characters."""
    try:
        for _ in pd.read_csv(source["path"], **{**table_options(source, [0]), "on_bad_lines": "skip"}):
            if seconds() > 8:
                break
        return source
    except (pd.errors.ParserError, ValueError):
        return {**source, "quoting": csv.QUOTE_NONE, "stray_quotes": True}


def flat(value, prefix="", out=None, depth=0):
    """A nested object as one row: keys joined by dots, lists of plain values by MARK."""
    out = {} if out is None else out
    for key, item in value.items():
        name = prefix + key if prefix else key
        if type(item) is str:
            out[name] = item
        elif isinstance(item, dict) and item and depth < 6:
            flat(item, name + ".", out, depth + 1)
        else:
            out[name] = cell(item)
    return out


def cell(item):
    if type(item) in (int, float):
        return repr(item)
    if item is None:
        return ""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, list):
        plain = all(not isinstance(part, (dict, list)) for part in item)
        return MARK.join(cell(part) for part in item) + (MARK if len(item) == 1 else "") if plain else json.dumps(item, ensure_ascii=False)[:200]
    if isinstance(item, dict):
        return json.dumps(item, ensure_ascii=False)[:200]
    return str(item)


def json_lines(source):
    source["broken"] = 0
    with open_text(source) as file:
        for line in file:
            if len(line) > MAX_LINE:
                raise Refusal("a line is longer than the limit of 4 MB for one JSON value")
            if line.strip():
                yield from parsed(line.lstrip("\ufeff"), source)


def parsed(line, source):
    try:
        value = json.loads(line)
    except ValueError:
        source["broken"] += 1
        return
    yield value if isinstance(value, dict) else {"value": value}


def json_items(source):
    """The items of a JSON array one by one; of another document, its longest list, else itself."""
    with open_text(source) as file:
        start = file.read(1)
        while start and start in "\ufeff \t\r\n":
            start = file.read(1)
        if start == "[":
            yield from array_items(file)
            return
    if source["size"] > 8 << 20:
        raise Refusal("a single JSON object larger than the limit of 8 MB cannot be read whole inside 512 MB of memory")
    with open_text(source) as file:
        yield from longest_list(file.read().lstrip("\ufeff"), source)


GAP = re.compile(r"[ \t\r\n,]*")


def array_items(file):
    decoder, buffer, at, ended = json.JSONDecoder(), "", 0, False
    while True:
        at = GAP.match(buffer, at).end()
        if buffer.startswith("]", at):
            return
        try:
            value, end = decoder.raw_decode(buffer, at)
            if end == len(buffer) and not ended:
                raise ValueError
        except ValueError:
            block = file.read(BLOCK // 4)
            if not block and ended or len(buffer) - at > MAX_LINE:
                raise Refusal("the JSON array is broken, or one of its items is larger than the limit of 4 MB")
            buffer, at, ended = buffer[at:] + block, 0, not block
            continue
        at = end
        yield value if isinstance(value, dict) else {"value": value}


def longest_list(text, source):
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Refusal("the JSON is broken: %s" % error)
    lists = [item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)]
    if lists:
        source["key"] = next(key for key, item in value.items() if item is max(lists, key=len))
    for item in max(lists, key=len) if lists else [value]:
        yield item if isinstance(item, dict) else {"value": item}


def json_frames(source, columns=None):
    items = json_lines(source) if source["kind"] == "jsonl" else json_items(source)
    while True:
        rows = [flat(item) for item in itertools.islice(items, 5000)]
        if not rows:
            return
        names = columns or list(dict.fromkeys(name for row in rows for name in row))
        yield pd.DataFrame({name: np.array([row.get(name, "") for row in rows], dtype=object) for name in names})


def frames(source, columns=None):
    """Frames of text cells, in order; `columns` limits what is kept."""
    return table_frames(source, columns) if source["kind"] == "table" else json_frames(source, columns)


def load_code(source, missing=None, texts=()):
    """The line with which a reader loads the file as it was read here."""
    name = source["name"]
    if source["kind"] == "jsonl":
        return "df = pd.json_normalize([json.loads(line) for line in open(%r, encoding=%r) if line.strip()])" % (name, source["encoding"])
    if source["kind"] == "json":
        return "df = pd.json_normalize(json.load(open(%r, encoding=%r))%s)" % (name, source["encoding"], "[%r]" % source["key"] if "key" in source else "")
    if source["kind"] != "table":
        return "text = open(%r, encoding=%r).read()" % (name, source["encoding"])
    return "df = pd.read_csv(%r, %s)" % (name, ", ".join(table_words(source, missing or {}, texts)))


def table_words(source, missing, texts):
    words = ["sep=%r" % source["delimiter"], "encoding=%r" % source["encoding"]]
    if source["decimal"] == ",":
        words += ["decimal=','", "thousands='.'"]
    if not source["header"]:
        words += ["header=None", "names=['column_%%d' %% (i + 1) for i in range(%d)]" % source["width"]]
    if texts:
        words += ["dtype=%r" % {name: "str" for name in texts}]
    if source["quoting"]:
        words += ["quoting=3"]
    words += ["keep_default_na=False", "na_values=%s" % ("['']" if not missing else repr(missing)), "on_bad_lines='skip'", "index_col=False"]
    return words
