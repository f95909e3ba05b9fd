"""What a column holds, found by looking at its values, and how its text becomes numbers, dates or places."""

ABSENT = {"NA", "N/A", "n/a", "na", "NaN", "nan", "null", "NULL", "None", "none", "-", "--", "?", ".", "nil", "#N/A", "k.A.", "unknown"}
ISO6709 = re.compile(r"^([+-])(\d{2})(\d{2})?(\d{2})?([+-])(\d{3})(\d{2})?(\d{2})?/?$")
PAIR = re.compile(r"^\(?\s*([+-]?\d{1,2}\.\d+)\s*[,; ]\s*([+-]?\d{1,3}\.\d+)\s*\)?$")
DATES = [
    (re.compile(r"^\d{4}-\d\d-\d\d$"), "%Y-%m-%d"), (re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d"), "iso"), (re.compile(r"^\d{4}/\d\d?/\d\d?$"), "%Y/%m/%d"),
    (re.compile(r"^\d\d?\.\d\d?\.\d{4}$"), "%d.%m.%Y"), (re.compile(r"^\d\d?/\d\d?/\d{4}$"), "%d/%m/%Y"), (re.compile(r"^\d{4}-\d\d$"), "%Y-%m"),
]
ITEM = r"[^\s,;|/\ue01f]{1,24}"
SIZE_WORDS = {"size", "kb", "mb", "gb", "bytes", "byte", "weight", "kg", "mass", "amount", "length", "volume", "area", "population", "total",
              "price", "cost", "revenue", "sales", "value", "quantity", "qty", "count", "betrag", "preis", "menge", "umsatz", "gewicht", "groesse", "größe"}
UNITS = {"kb": ("kB", 1024.0, "MB"), "kib": ("KiB", 1024.0, "MiB"), "bytes": ("bytes", 1048576.0, "MB"), "byte": ("bytes", 1048576.0, "MB")}


def tokens(name):
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", str(name))
    return [part.lower() for part in re.split(r"[^0-9A-Za-zÀ-ÿ]+", spaced) if part]


def unit_of(name):
    """(unit, divisor, larger unit) for a column that names a data size, else None."""
    return next((UNITS[part] for part in tokens(name) if part in UNITS), None)


def size_like(name):
    return bool(SIZE_WORDS.intersection(tokens(name)))


def to_numbers(values, decimal):
    """Text cells as floats, NaN where one is no number."""
    text = pd.Series(values, dtype=object).str.strip()
    if decimal == ",":
        text = text.str.replace(r"\.(?=\d{3}(\D|$))", "", regex=True).str.replace(",", ".", regex=False)
    elif text.str.contains(r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$", regex=True, na=False).any():
        text = text.where(~text.str.match(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$", na=False), text.str.replace(",", "", regex=False))
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def to_dates(values, form):
    text = pd.Series(values, dtype=object).str.strip()
    if form == "iso":
        return pd.to_datetime(text, errors="coerce", utc=True).dt.tz_localize(None)
    return pd.to_datetime(text, format=form, errors="coerce")


def degrees(sign, whole, minutes, secs):
    angle = int(whole) + int(minutes or 0) / 60 + int(secs or 0) / 3600
    return -angle if sign == "-" else angle


def to_place(text):
    """(latitude, longitude) in degrees, or None."""
    match = ISO6709.match(text.strip())
    if match:
        a = match.groups()
        return degrees(*a[0:4]), degrees(*a[4:8])
    match = PAIR.match(text.strip())
    return (float(match.group(1)), float(match.group(2))) if match else None


def list_separator(filled):
    """The separator of cells that hold lists of short codes, such as AE,OM,RE; else None."""
    for mark in (MARK, ",", ";", "|", "/"):
        whole = re.compile("^%s(%s ?%s)*%s?$" % (ITEM, re.escape(mark), ITEM, re.escape(mark)))
        holds = sum(1 for value in filled if mark in value)
        if mark == MARK and holds:
            return mark
        if holds >= max(3, len(filled) * 0.02) and all(whole.match(value) for value in filled) and not any(re.match(r"^[\d.,]+$", value) for value in filled if mark in value):
            if mark != "/" or len({part for value in filled for part in value.split(mark)}) < len(filled):
                return mark
    return None


def date_form(filled):
    for pattern, form in DATES:
        hits = sum(1 for value in filled if pattern.match(value))
        if hits >= len(filled) * 0.9:
            return american(filled) if form == "%d/%m/%Y" else form
    return None


def american(filled):
    second = [int(value.split("/")[1]) for value in filled if value.count("/") == 2 and value.split("/")[1].isdigit()]
    return "%m/%d/%Y" if any(part > 12 for part in second) else "%d/%m/%Y"


def kind_of(name, values, decimal):
    """{kind, ...} of a column from a sample of its text cells."""
    filled = [value.strip() for value in values if value.strip()]
    known = [value for value in filled if value not in ABSENT]
    if not filled:
        return {"kind": "empty"}
    distinct = len(set(filled))
    numbers = to_numbers(known, decimal) if known else np.array([])
    if known and np.isfinite(numbers).mean() >= 0.9:
        return number_kind(name, known, numbers, distinct, decimal)
    if known and np.mean([to_place(value) is not None for value in known]) >= 0.9:
        return {"kind": "coordinates"}
    form = date_form(known) if known else None
    if form:
        return {"kind": "date", "form": form}
    return text_kind(name, filled, distinct)


def number_kind(name, known, numbers, distinct, decimal):
    parts, whole = tokens(name), bool(np.all(np.equal(np.mod(numbers[np.isfinite(numbers)], 1), 0)))
    named = parts and (parts[-1] in ("id", "key", "nr", "no", "zip", "plz", "code", "uuid") or parts[0] in ("id", "zip", "plz"))
    unique = distinct == len(known) and len(known) > 5
    leading = any(re.match(r"^0\d", value) for value in known)
    if whole and (leading or (named and (unique or parts[-1] in ("zip", "plz", "code")))):
        return {"kind": "id", "digits": True}
    if parts and parts[-1] in ("lat", "latitude", "breite", "breitengrad"):
        return {"kind": "number", "whole": False, "axis": "latitude"}
    if parts and parts[-1] in ("lon", "lng", "long", "longitude", "laenge", "längengrad"):
        return {"kind": "number", "whole": False, "axis": "longitude"}
    return {"kind": "number", "whole": whole}


def text_kind(name, filled, distinct):
    mark = list_separator(filled[:3000])
    if mark:
        return {"kind": "list", "separator": mark}
    if {value.lower() for value in filled[:2000]} <= {"true", "false", "yes", "no", "y", "n", "t", "f", "ja", "nein", "0", "1"}:
        return {"kind": "category", "boolean": True}
    words = sum(value.count(" ") + 1 for value in filled) / len(filled)
    length = sum(map(len, filled)) / len(filled)
    if distinct == len(filled) and len(filled) > 5 and words < 6:
        return {"kind": "id"}
    if words >= 6 or length > 60:
        return {"kind": "text"}
    return {"kind": "category"} if distinct <= max(60, len(filled) * 0.3) else {"kind": "text"}


def whole(value):
    """A number as JSON should show it: exact integers as integers, others with 6 significant decimals."""
    value = float(value)
    if not np.isfinite(value):
        return None
    if value == int(value) and abs(value) < 2 ** 53:
        return int(value)
    return float("%.10g" % value)


def short(text, size=60):
    """One line of printable text of at most `size` characters."""
    line = re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(text).replace(MARK, ",")).strip()
    return line if len(line) <= size else line[:size - 1] + "…"
