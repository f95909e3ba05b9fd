"""What in a table looks odd, each with how many rows, which columns and the expression that shows it."""


def odd(text, columns, count, code):
    text = re.sub(r"\b1 (row|value|line|place|field|outlier)s\b", r"1 \1", text)
    return {"text": text, "columns": columns, "count": int(count), "code": code}


def file_oddities(scan):
    source, found = scan.source, []
    duplicates = scan.duplicates()
    if duplicates:
        seen = scan.hashed if scan.hashed < scan.rows else 0
        found.append(odd("an earlier row is repeated exactly in %d rows%s" % (duplicates, ", among the first %d rows" % seen if seen else ""), [], duplicates, "df%s.duplicated().sum()" % (".head(%d)" % seen if seen else "")))
    for key, text in (("skipped", "left out, because they have more fields than the header: %d lines"), ("broken", "left out, because they are no valid JSON: %d lines")):
        if source.get(key):
            found.append(odd(text % source[key], [], source[key], ""))
    if source.get("stray_quotes"):
        found.append(odd("a quotation mark is opened and never closed: quotes were read as plain characters", [], 1, ""))
    if source["encoding"] not in ("utf-8",):
        found.append(odd("the text is stored as %s, not as plain UTF-8" % source["encoding"], [], 1, ""))
    garbled, replaced = spelled(source["path"]) if source["encoding"].startswith("utf-8") else (0, 0)
    if garbled or replaced:
        found.append(odd("signs of a wrong decoding (such as Ã¤ or �) are in %d places" % (garbled + replaced), [], garbled + replaced, ""))
    if scan.late:
        found.append(odd("fields that appear only after the first rows: %d" % len(scan.late), [short(name, 40) for name in scan.late[:5]], len(scan.late), ""))
    if scan.rows == 0:
        found.append(odd("there is a header and not a single row", [], 0, "len(df)"))
    return found


def column_oddities(column, rows, distinct):
    name = short(column.name, 60)
    found, ref = [], "df[%r]" % column.name
    missing = rows - column.present
    if column.present == 0 and rows:
        return [odd("%s is empty in every row" % name, [name], rows, "%s.isna().all()" % ref)]
    if distinct == 1 and rows > 1:
        found.append(odd("%s is constant: %s in every filled row" % (name, short(next(filter(None, column.counts), ""), 40)), [name], column.present, "%s.nunique()" % ref))
    if missing >= (1 if column.kind in ("number", "coordinates", "date") else max(1, rows * 0.05)):
        found.append(odd("%s is missing in %d of %d rows (%.1f %%)" % (name, missing, rows, 100 * missing / rows), [name], missing, "%s.isna().sum()" % ref))
    if column.padded:
        found.append(odd("%s has spaces before or after the value in %d rows" % (name, column.padded), [name], column.padded, "(%s.str.strip() != %s).sum()" % (ref, ref)))
    if column.misfits:
        found.append(odd("%s mixes types: it is %s but for %d values, such as %s" % (name, column.kind, column.misfits, ", ".join(column.examples)), [name], column.misfits, ""))
    for word, times in column.absent.most_common(2):
        found.append(odd("%s holds the word %r in %d rows: it may mean a missing value, or itself (NA is also Namibia)" % (name, word, times), [name], times, "(%s == %r).sum()" % (ref, word)))
    return found


def number_oddities(column, kept):
    found, name, ref = [], short(column.name, 60), "df[%r]" % column.name
    if not size_like(column.name):
        return found
    if column.zeros and column.zeros < column.numbers:
        found.append(odd("%s is zero in %d rows" % (name, column.zeros), [name], column.zeros, "(%s == 0).sum()" % ref))
    if column.negatives:
        found.append(odd("%s is negative in %d rows" % (name, column.negatives), [name], column.negatives, "(%s < 0).sum()" % ref))
    return found


def outliers(name, values, exact):
    """Values outside 1.5 times the interquartile range."""
    known = values[np.isfinite(values)]
    if len(known) < 20:
        return []
    low, high = np.quantile(known, 0.25), np.quantile(known, 0.75)
    fence = high + 1.5 * (high - low)
    many = int((known > fence).sum() + (known < low - 1.5 * (high - low)).sum())
    if high <= low or not many:
        return []
    label, ref = short(name, 60), "df[%r]" % name
    note = "" if exact else " (estimated from a sample)"
    text = "%s has %d outliers by the 1.5 × IQR rule%s; the largest, %s, is %s times the median" % (
        label, many, note, whole(known.max()), whole(round(known.max() / np.median(known), 1)) if np.median(known) > 0 else "many")
    return [odd(text, [label], many, "q1, q3 = %s.quantile([.25, .75]); ((%s > q3 + 1.5 * (q3 - q1)) | (%s < q1 - 1.5 * (q3 - q1))).sum()" % (ref, ref, ref))]


def repeated_ids(columns, rows, distinct):
    found = []
    for column in columns:
        parts = tokens(column.name)
        nearly = column.present > 20 and column.present * 0.9 <= distinct[column.name] < column.present
        if (nearly or parts[-1:] in (["id"], ["uuid"], ["key"])) and column.kind in ("id", "text", "number") and distinct[column.name] < column.present:
            extra, label = column.present - distinct[column.name], short(column.name, 60)
            if column.kind != "number" or parts[-1:] == ["id"]:
                found.append(odd("%s is almost a key, but a value comes again in %d rows" % (label, extra), [label], extra, "df[%r].dropna().duplicated().sum()" % column.name))
    return found


def case_twins(column):
    """Values that differ in case only, such as Libs and libs."""
    if column.kind != "category" or column.over or len(column.counts) > 2000:
        return []
    lower = {}
    for value in sorted(column.counts):
        if value:
            lower.setdefault(value.lower(), []).append(value)
    twins = [forms for forms in lower.values() if len(forms) > 1]
    label = short(column.name, 60)
    text = "%s spells %d value%s with capitals here and without there, such as %s"
    return [odd(text % (label, len(twins), "" if len(twins) == 1 else "s", " and ".join(short(form, 30) for form in twins[0][:2])), [label], len(twins), "")] if twins else []


def byte_factor(name):
    parts = tokens(name)
    return 1024 if "kb" in parts or "kib" in parts else 1 if "bytes" in parts or "byte" in parts else 1048576 if "mb" in parts else 0


def size_pairs(scan, kept):
    """Of two sizes of the same thing one is mostly the smaller; rows where it is not are odd."""
    names, found = [name for name in scan.measures if byte_factor(name) and name in kept], []
    for at, x in enumerate(names):
        for y in names[at + 1:]:
            a, b = kept[x].to_numpy() * byte_factor(x), kept[y].to_numpy() * byte_factor(y)
            above = int((a > b).sum())
            below = int((a < b).sum())
            if min(above, below) and min(above, below) < 0.2 * (above + below):
                big, small = (x, y) if above < below else (y, x)
                code = "(df[%r] * %d > df[%r] * %d).sum()" % (big, byte_factor(big), small, byte_factor(small))
                found.append(odd("%s is larger than %s in %d rows, in bytes; in the other %d it is not" % (short(big, 40), short(small, 40), min(above, below), max(above, below)), [big, small], min(above, below), code))
    return found


def same_place(scan):
    column = scan.columns.get(scan.placed)
    if column is None or column.over:
        return []
    shared = [(value, times) for value, times in column.counts.items() if value and times > 1]
    label, rows = short(column.name, 60), sum(times for _, times in shared)
    return [odd("%s holds the same place more than once in %d rows" % (label, rows), [label], rows, "df[%r].duplicated(keep=False).sum()" % column.name)] if shared else []


def oddities(scan, distinct, kept):
    found = file_oddities(scan)
    columns = list(scan.columns.values())
    for column in columns[:200]:
        found += column_oddities(column, scan.rows, distinct[column.name]) + case_twins(column)
        if column.kind == "number":
            found += number_oddities(column, kept)
    for name in scan.measures:
        if name in kept and scan.columns[name].numbers:
            found += outliers(name, kept[name].to_numpy(), scan.kept.stride == 1)
    if scan.kept.stride == 1:
        found += size_pairs(scan, kept)
    return found + same_place(scan) + repeated_ids(columns[:200], scan.rows, distinct)
