"""Main program of the second run: computes what the questions ask, by rule, and prints one JSON document.

An ask is data: {id, op, ...}; what it may name is columns of the profile. An answer is {id, text, tables, chart}.
"""

class Table:
    """The columns that the asks need, read once: numbers as floats, texts as categories, places as two columns."""

    def __init__(self, source, columns, decimal):
        self.source, self.columns, self.decimal = source, columns, decimal
        self.codes = {name: {} for name in columns}
        self.parts = {name: [] for name in columns}
        self.rows, self.tops, self.stopped = 0, {}, None

    def read(self, tops, deadline, row_limit):
        """`tops`: asks for the highest or lowest rows; they are met on the way, so that names of rows need not be kept."""
        wanted = list(dict.fromkeys([*self.columns, *(name for ask in tops for name in named(ask))]))
        for frame in frames(self.source, wanted):
            for ask in tops:
                self.top(ask, frame)
            for name in self.columns:
                self.see(name, frame[name])
            self.rows += len(frame)
            if row_limit and self.rows >= row_limit:
                self.stopped = "the cheaper variant reads the first rows only"
                break
            if seconds() > deadline:
                self.stopped = "the sandbox's limit of 30 seconds on half a CPU left no time for the rest"
                break
        return self

    def see(self, name, cells):
        codes, values = pd.factorize(cells.to_numpy())
        stripped = [value.strip() for value in values]
        kind = self.columns[name]["kind"]
        if kind == "number":
            self.parts[name].append(to_numbers(stripped, self.decimal)[codes])
        elif kind == "coordinates":
            self.parts[name].append(np.array([to_place(value) or (np.nan, np.nan) for value in stripped], dtype=float).reshape(-1, 2)[codes])
        else:
            book = self.codes[name]
            own = np.array([book.setdefault(value, len(book)) for value in stripped], dtype=np.int32)
            if len(book) > 1_500_000:
                raise Refusal("%s has more than 1,500,000 different values: grouping by it does not fit into the limit of 512 MB of memory" % short(name, 40))
            self.parts[name].append(own[codes])

    def top(self, ask, frame):
        best = self.tops.setdefault(ask["id"], [])
        values = to_numbers(frame[ask["column"]].to_numpy(), self.decimal)
        values = values if ask.get("ascending") else -values
        values[~matches(frame, ask.get("where", []), self.decimal)] = np.nan
        known = np.flatnonzero(np.isfinite(values))
        order = known[np.argsort(values[known], kind="stable")][:ask["n"]]
        best += [(float(values[at]), self.rows + int(at) + 1, [short(frame[label].iat[at], 60) for label in ask["show"]]) for at in order]
        self.tops[ask["id"]] = sorted(best, key=lambda entry: entry[:2])[:ask["n"]]

    def frame(self):
        made = {}
        for name, parts in self.parts.items():
            whole_part = np.concatenate(parts) if parts else np.array([])
            kind = self.columns[name]["kind"]
            if kind == "coordinates":
                whole_part = whole_part.reshape(-1, 2)
                made["latitude of " + name], made["longitude of " + name] = whole_part[:, 0], whole_part[:, 1]
            elif kind == "number":
                made[name] = whole_part
            else:
                made[name] = self.texts(name, whole_part)
        return pd.DataFrame(made)

    def texts(self, name, codes):
        values = list(self.codes[name])
        if self.columns[name]["kind"] == "date":
            return to_dates(values, self.columns[name]["form"]).to_numpy()[codes] if values else np.array([], dtype="datetime64[ns]")
        made = pd.Categorical.from_codes(codes, categories=values) if values else pd.Categorical([])
        return made.remove_categories([""]) if "" in values else made


def matches(frame, where, decimal):
    keep = np.ones(len(frame), dtype=bool)
    for test in where:
        if test["is"] == "equal":
            keep &= (frame[test["column"]].str.strip() == test["value"]).to_numpy()
        else:
            values = to_numbers(frame[test["column"]].to_numpy(), decimal)
            keep &= values > test["value"] if test["is"] == "over" else values < test["value"]
    return keep


SIGNS = {"equal": "==", "over": ">", "under": "<"}


def where_code(ask):
    words = ["(df[%r] %s %r)" % (test["column"], SIGNS[test["is"]], test["value"]) for test in ask.get("where", [])]
    return "df[%s]" % " & ".join(words) if words else "df"


def chosen(df, ask):
    """The rows that the ask speaks of, and the expression for them."""
    for test in ask.get("where", []):
        column, value = df[test["column"]], test["value"]
        df = df[keep_rows(column, test["is"], value)]
    return df, where_code(ask)


def keep_rows(column, sign, value):
    if sign == "equal":
        return column == value
    return column > value if sign == "over" else column < value


def table(title, columns, rows, code):
    return {"title": title, "columns": columns, "rows": rows, "code": code}


def sized(name, value):
    """' = 12.3 MB' for a sum of a column that names a data size."""
    unit = unit_of(name)
    return " %s = %.1f %s" % (unit[0], value / unit[1], unit[2]) if unit and value is not None else ""


def show(name, value):
    return "%s%s" % (whole(value), sized(name, value))


def with_unit(name, rows, at):
    """The rows with a rounded column in the larger unit after the exact one."""
    unit = unit_of(name)
    if not unit:
        return [], rows
    return [unit[2]], [[*row[:at + 1], round((row[at] or 0) / unit[1], 1), *row[at + 1:]] for row in rows]


def measure_words(measure):
    return "rows" if measure["agg"] == "count" else "%s of %s" % (measure["agg"], measure["column"])


def grouped(df, ask, measure, kind):
    """Series of a measure per group, and the expression that gives it."""
    by, base_code = ask["by"], chosen(df, ask)[1]
    base = chosen(df, ask)[0]
    if kind["kind"] == "list":
        base, base_code = exploded(base, base_code, by, kind["separator"])
    groups = base.groupby(by, observed=True)
    if measure["agg"] == "count":
        return groups.size(), "%s.groupby(%r).size()" % (base_code, by)
    column, agg = measure["column"], measure["agg"]
    return getattr(groups[column], agg)(), "%s.groupby(%r)[%r].%s()" % (base_code, by, column, agg)


def exploded(df, code, name, mark):
    parts = df[name].astype(object).fillna("").str.split(mark)
    long = df.assign(**{name: parts}).explode(name)
    long[name] = long[name].str.strip()
    split = "%s" % code if mark == MARK else "%s.assign(**{%r: %s[%r].str.split(%r)})" % (code, name, code, name, mark)
    return long[long[name] != ""], "%s.explode(%r)" % (split, name)


def groups(df, ask, columns):
    tables, said = [], []
    for measure in ask["measures"]:
        series, code = grouped(df, ask, measure, columns[ask["by"]])
        counts = grouped(df, ask, {"agg": "count"}, columns[ask["by"]])[0]
        series = series.dropna()
        best = series.sort_values(ascending=bool(ask.get("ascending")), kind="stable").head(ask["n"])
        tables.append(group_table(ask, measure, best, counts, code))
        said.append(group_words(ask, measure, best, len(series)))
    chart = group_chart(ask, tables, columns)
    return {"text": "; ".join(said) + ".", "tables": tables, "chart": chart}


def group_table(ask, measure, best, counts, code):
    order = "nsmallest" if ask.get("ascending") else "nlargest"
    rows = [[short(value, 50), whole(number)] for value, number in best.items()]
    names = [ask["by"], measure_words(measure)]
    if measure["agg"] != "count":
        extra, rows = with_unit(measure["column"], rows, 1)
        rows = [[*row, int(counts.get(value, 0))] for row, value in zip(rows, best.index)]
        names += [*extra, "rows"]
    return table("%s by %s" % (measure_words(measure), ask["by"]), names, rows, "%s.%s(%d)" % (code, order, ask["n"]))


def group_words(ask, measure, best, many):
    if not len(best):
        return "no group of %s has a value" % ask["by"]
    first = ", ".join("%s (%s)" % (short(value, 40), show(measure.get("column", ""), number)) for value, number in list(best.items())[:3])
    return "%s by %s %s: %s (of %d groups)" % ("least" if ask.get("ascending") else "most", ask["by"], "in " + measure_words(measure), first, many)


def group_chart(ask, tables, columns):
    panels = [(made["title"], made["columns"][1], [row[0] for row in made["rows"]], [row[1] for row in made["rows"]]) for made in tables[:2] if made["rows"]]
    return ("q%d-by-%s" % (ask["id"], slugged(ask["by"])), "%s" % " and ".join(panel[0] for panel in panels), draw_bars, [panels]) if panels else None


def relation(df, ask, columns):
    x, y = ask["x"], ask["y"]
    base, code = chosen(df, ask)
    both = base[[x, y]].dropna()
    if len(both) < 3 or both[x].nunique() < 2 or both[y].nunique() < 2:
        return {"text": "Too few different values to relate %s to %s." % (y, x), "tables": [], "chart": None}
    pearson = float(both[x].corr(both[y]))
    spearman = float(both[x].rank().corr(both[y].rank()))
    made = buckets(both, x, y, code)
    full = [row for row in made["rows"] if row[1] >= max(5, len(both) // 1000)] or made["rows"]
    text = "%s: Spearman (rank) correlation %.4f, Pearson %.4f over %d rows with both values. Median %s is %s where %s is %s, and %s where it is %s (ranges of fewer rows are in the table)." % (
        strength(spearman), spearman, pearson, len(both), y, full[0][2], x, full[0][0], full[-1][2], full[-1][0])
    figures = table("Correlation of %s and %s" % (x, y), ["figure", "value", "rows"], [["Spearman", round(spearman, 4), len(both)], ["Pearson", round(pearson, 4), len(both)]],
                    "d = %s[[%r, %r]].dropna(); d.rank().corr(), d.corr()" % (code, x, y))
    chart = ("q%d-scatter" % ask["id"], "%s against %s" % (y, x), draw_scatter, [both[x].to_numpy(), both[y].to_numpy(), (x, y)])
    return {"text": text, "tables": [figures, made], "chart": chart}


def strength(value):
    size = abs(value)
    word = "hardly related" if size < 0.1 else "weakly related" if size < 0.3 else "moderately related" if size < 0.6 else "strongly related"
    return "The two are %s%s" % (word, "" if size < 0.1 else ", rising together" if value > 0 else ", one falling as the other rises")


def edges_of(values):
    """Bucket edges: 0, 1, 2, 4, 8 … for counts, else sixths of the rows."""
    if values.min() >= 0 and (values % 1 == 0).all() and values.max() < 2 ** 31:
        edges = [0, 1] + [2 ** power for power in range(1, 32) if 2 ** (power - 1) <= values.max()]
        return edges if len(edges) <= 12 else sorted({0, *np.unique(np.quantile(values, [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])).tolist(), float(values.max()) + 1})
    cuts = np.unique(np.quantile(values, [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1]))
    return [*cuts[:-1].tolist(), float(np.nextafter(cuts[-1], np.inf))]


def buckets(both, x, y, code):
    edges = [whole(edge) if edge == int(edge) else float("%.6g" % edge) for edge in edges_of(both[x])]
    edges[0], edges[-1] = min(edges[0], float(both[x].min())), max(edges[-1], float(np.nextafter(both[x].max(), np.inf)))
    edges = [whole(edge) if edge == int(edge) else edge for edge in edges]
    parts = both.groupby(pd.cut(both[x], edges, right=False), observed=True)[y].agg(["size", "median", "mean", "max"])
    rows = [[bucket_name(part, both[x]), int(row["size"]), whole(row["median"]), whole(round(row["mean"], 2)), whole(row["max"])] for part, row in parts.iterrows()]
    expression = "%s.groupby(pd.cut(%s[%r], %r, right=False))[%r].agg(['size', 'median', 'mean', 'max'])" % ("%s[[%r, %r]].dropna()" % (code, x, y), code, x, edges, y)
    return table("%s by range of %s" % (y, x), [x, "rows", "median " + y, "mean " + y, "max " + y], rows, expression)


def bucket_name(part, values):
    counts = (values % 1 == 0).all()
    low, high = whole(part.left), whole(part.right)
    if counts and part.right == part.left + 1:
        return str(low)
    return "%s to %s" % (low, whole(min(np.ceil(part.right) - 1, values.max()))) if counts else "%s to under %s" % ("%.4g" % part.left, "%.4g" % part.right)


def top(df, ask, columns, reader):
    sign = 1 if ask.get("ascending") else -1
    rows = [[*labels, whole(sign * value)] for value, _, labels in reader.tops.get(ask["id"], [])]
    extra, rows = with_unit(ask["column"], rows, len(ask["show"]))
    code = "%s.%s(%d, %r)[%r]" % (where_code(ask), "nsmallest" if ask.get("ascending") else "nlargest", ask["n"], ask["column"], [*ask["show"], ask["column"]])
    made = table("%s %d by %s" % ("Lowest" if ask.get("ascending") else "Top", ask["n"], ask["column"]), [*ask["show"], ask["column"], *extra], rows, code)
    first = rows[0] if rows else None
    at = len(ask["show"])
    said = ", ".join("%s (%s)" % (row[0] if at else "a row", show(ask["column"], row[at])) for row in rows[:3])
    text = "%s %s %s: %s%s." % (len(rows), "smallest" if ask.get("ascending") else "largest", ask["column"], said, ", …" if len(rows) > 3 else "") if first else "No row has a value."
    chart = ("q%d-top" % ask["id"], made["title"], draw_bars, [[(made["title"], ask["column"], [row[0] for row in rows], [row[len(ask["show"])] for row in rows])]]) if rows and ask["show"] else None
    return {"text": text, "tables": [made], "chart": chart}


WAYS = {"north": ("latitude", False), "south": ("latitude", True), "east": ("longitude", False), "west": ("longitude", True)}


def parse_code(name):
    return ("p = df[%r].str.extract(r'^([+-])(\\d\\d)(\\d\\d)(\\d\\d)?([+-])(\\d{3})(\\d\\d)(\\d\\d)?')\n"
            "deg = lambda s, d, m, x: (d.astype(float) + m.astype(float) / 60 + x.astype(float).fillna(0) / 3600) * s.map({'+': 1, '-': -1})\n"
            "df['latitude'], df['longitude'] = deg(p[0], p[1], p[2], p[3]), deg(p[4], p[5], p[6], p[7])\n" % name)


def extremes(df, ask, columns):
    names = {axis: "%s of %s" % (axis, ask["place"]) for axis in ("latitude", "longitude")} if ask.get("place") else {"latitude": ask.get("latitude"), "longitude": ask.get("longitude")}
    tables, said, marks = [], [], []
    for way in ask["ways"]:
        axis, ascending = WAYS[way]
        column, unit = names[axis], axis
        rows = df.dropna(subset=[column]).sort_values(column, ascending=ascending, kind="stable").head(ask["n"])
        label = unit if ask.get("place") else column
        code = "%sdf.sort_values(%r, ascending=%s, kind='stable').head(%d)[%r]" % (parse_code(ask["place"]) if ask.get("place") else "", label, ascending, ask["n"], [*ask["show"], label])
        tables.append(table("Furthest %s" % way, [*ask["show"], axis + " (degrees)"], [[*(short(row[name], 50) for name in ask["show"]), round(float(row[column]), 4)] for _, row in rows.iterrows()], code))
        if len(rows):
            said.append("furthest %s: %s at %s %+.4f°" % (way, short(rows.iloc[0][ask["show"][0]], 50) if ask["show"] else "a row", axis, rows.iloc[0][column]))
            if names["latitude"] and names["longitude"]:
                marks.append((rows.iloc[0][names["latitude"]], rows.iloc[0][names["longitude"]], rows.iloc[0][ask["show"][0]] if ask["show"] else way))
    chart = None
    if names["latitude"] and names["longitude"] and len(df):
        chart = ("q%d-map" % ask["id"], "Places, the furthest named", draw_map, [df[names["latitude"]].to_numpy(), df[names["longitude"]].to_numpy(), marks, "Places, the furthest named"])
    return {"text": upper("; ".join(said)) + ".", "tables": tables, "chart": chart}


def upper(text):
    return text[:1].upper() + text[1:]


def sharing(df, ask, columns):
    """How many items each cell of a list column holds, and what is shared most."""
    name, mark = ask["column"], columns[ask["column"]]["separator"]
    cells = df[name].astype(object).fillna("").str.strip(mark + " ")
    sizes = cells.where(cells == "", cells.str.count(re.escape(mark)) + 1).replace("", 0).astype(int)
    filled = sizes[sizes > 0]
    spread = filled.value_counts().sort_index()
    order = sizes.sort_values(ascending=False, kind="stable").head(ask["n"]).index
    shown = [label for label in ask["show"] if label != name]
    rows = [[*(short(df.at[at, label], 50) for label in shown), int(sizes[at]), short(cells[at].replace(mark, ", "), 90)] for at in order]
    count = "df[%r].str.len()" % name if mark == MARK else "(df[%r].str.count(%r) + 1)" % (name, mark if mark != "|" else r"\|")
    tables = [table("Rows by number of items in %s" % name, ["items in " + name, "rows"], [[int(size), int(times)] for size, times in spread.items()], "%s.value_counts().sort_index()" % count),
              table("Rows with the most items in %s" % name, [*shown, "items", name], rows, "df.assign(items=%s).sort_values('items', ascending=False, kind='stable').head(%d)" % (count, ask["n"]))]
    return {"text": sharing_words(name, mark, cells, sizes, filled, rows), "tables": tables,
            "chart": ("q%d-sharing" % ask["id"], tables[0]["title"], draw_bars, [[(tables[0]["title"], "rows", [str(row[0]) for row in tables[0]["rows"]], [row[1] for row in tables[0]["rows"]])]])}


def sharing_words(name, mark, cells, sizes, filled, rows):
    shared = {part.strip() for cell in cells[sizes > 1].unique() for part in cell.split(mark)}
    every = {part.strip() for cell in cells[sizes > 0].unique() for part in cell.split(mark)}
    text = "%d of the %d different items of %s share a row with at least one other. %d of %d rows hold more than one item, %d hold exactly one; on average %.2f items a row" % (
        len(shared), len(every), name, (filled > 1).sum(), len(filled), (filled == 1).sum(), filled.mean() if len(filled) else 0)
    return text + (". The most in one row: %s." % "; ".join("%d (%s)" % (row[-2], row[0]) for row in rows[:3]) if rows else ".")


def count(df, ask, columns):
    base, code = chosen(df, ask)
    if not ask.get("column"):
        return {"text": "%d rows." % len(base), "tables": [table("Rows", ["rows"], [[len(base)]], "len(%s)" % code)], "chart": None}
    name = ask["column"]
    if columns[name]["kind"] == "list":
        base, code = exploded(base, code, name, columns[name]["separator"])
    many = int(base[name].nunique())
    return {"text": "%d different values of %s in %d rows." % (many, name, len(base)), "tables": [table("Different values of %s" % name, ["different values"], [[many]], "%s[%r].nunique()" % (code, name))], "chart": None}


def figures(df, ask, columns):
    base, code = chosen(df, ask)
    name = ask["column"]
    values = base[name].dropna()
    rows = [[agg, whole(getattr(values, agg)())] for agg in ask["aggs"]] if len(values) else []
    extra, rows = with_unit(name, rows, 1)
    text = "; ".join("%s of %s: %s" % (row[0], name, show(name, row[1])) for row in rows) or "%s has no number" % name
    chart = ("q%d-histogram" % ask["id"], "Distribution of %s" % name, draw_histogram, [values.to_numpy(), name]) if len(values) > 1 and values.nunique() > 1 else None
    return {"text": upper(text) + ". %d rows have a value." % len(values), "tables": [table("Figures of %s" % name, ["figure", name, *extra], rows, "%s[%r].agg(%r)" % (code, name, ask["aggs"]))], "chart": chart}


def trend(df, ask, columns):
    base, code = chosen(df, ask)
    name, measure = ask["column"], ask["measure"]
    base = base.dropna(subset=[name])
    period = base[name].dt.strftime({"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}[ask["unit"]])
    groups_ = base.groupby(period)
    series = groups_.size() if measure["agg"] == "count" else getattr(groups_[measure["column"]], measure["agg"])()
    form = {"year": 4, "month": 7, "day": 10}[ask["unit"]]
    day_first = "" if columns[name]["form"] in ("iso", "%Y-%m-%d") else ", format=%r" % columns[name]["form"]
    key = "pd.to_datetime(%s[%r]%s).astype(str).str[:%d]" % (code, name, day_first, form)
    tail = ".size()" if measure["agg"] == "count" else "[%r].%s()" % (measure["column"], measure["agg"])
    made = table("%s by %s of %s" % (measure_words(measure), ask["unit"], name), [ask["unit"], measure_words(measure)], [[key_, whole(value)] for key_, value in list(series.items())[-60:]], "%s.groupby(%s)%s" % (code, key, tail))
    if not made["rows"]:
        return {"text": "No row has a date.", "tables": [], "chart": None}
    high, low = max(made["rows"], key=lambda row: row[1] or 0), min(made["rows"], key=lambda row: row[1] or 0)
    text = "Highest in %s (%s), lowest in %s (%s); first %s: %s, last %s: %s." % (high[0], high[1], low[0], low[1], made["rows"][0][0], made["rows"][0][1], made["rows"][-1][0], made["rows"][-1][1])
    return {"text": text, "tables": [made], "chart": ("q%d-trend" % ask["id"], made["title"], draw_line, [[row[0] for row in made["rows"]], [row[1] for row in made["rows"]], made["title"], measure_words(measure)])}


OPS = {"groups": groups, "relation": relation, "extremes": extremes, "sharing": sharing, "count": count, "figures": figures, "trend": trend}


def solve(df, ask, columns, reader, slug):
    try:
        found = top(df, ask, columns, reader) if ask["op"] == "top" else OPS[ask["op"]](df, ask, columns)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        return {"id": ask["id"], "op": ask["op"], "failed": short("%s: %s" % (type(error).__name__, error), 200)}
    drawn = draw(found.pop("chart"), slug)
    return {"id": ask["id"], "op": ask["op"], **found, "text": short(upper(found["text"]), 900), "chart": drawn, "columns": used(ask, columns)}


def used(value, columns):
    """The columns that an ask names, in its order."""
    if isinstance(value, dict):
        return list(dict.fromkeys(name for item in value.values() for name in used(item, columns)))
    if isinstance(value, list):
        return list(dict.fromkeys(name for item in value for name in used(item, columns)))
    return [value] if isinstance(value, str) and value in columns else []


def draw(chart, slug):
    if not chart or seconds() > 24:
        return None
    what, title, how, arguments = chart
    return {"path": how(slug, what, *arguments), "title": short(title, 120)}


def named(ask):
    return [ask["column"], *ask["show"], *(test["column"] for test in ask.get("where", []))]


def answer(params):
    source = {**params["source"], "path": os.path.join(".", params["file"]), "name": params["file"], "size": os.path.getsize(os.path.join(".", params["file"]))}
    tops = [ask for ask in params["asks"] if ask["op"] == "top"]
    reader = Table(source, {name: params["columns"][name] for name in params["wanted"]}, source.get("decimal", "."))
    reader.read(tops, params["deadline"], params["rows"])
    df = reader.frame()
    return {"phase": "answer", "file": params["file"], "rows": reader.rows, "stopped": reader.stopped,
            "answers": [solve(df, ask, params["columns"], reader, params["slug"]) for ask in params["asks"]]}
