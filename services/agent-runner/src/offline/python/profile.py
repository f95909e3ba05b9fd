"""Main program of the first run: profiles one file."""


def column_summary(column, rows, distinct, kept, exact):
    summary = {"name": column.name, "kind": column.kind, "missing": rows - column.present, "distinct": distinct}
    for key in ("whole", "axis", "form", "digits", "boolean"):
        if key in column.found:
            summary[key] = column.found[key]
    if column.kind == "number" and column.numbers:
        summary.update(number_summary(column, kept, exact))
    elif column.kind == "date":
        summary.update({"min": column.low, "max": column.high, "months": sorted(column.items.items())[-24:]})
    elif column.kind == "list":
        summary.update({"separator": column.found["separator"], "sizes": sorted(column.sizes.items()), "items": len(column.items),
                        "top": [(short(value, 40), times) for value, times in column.items.most_common(10)]})
    elif not column.over:
        summary["top"] = [(short(value, 40), times) for value, times in column.counts.most_common(11) if value and times > 1][:10]
    return summary


def number_summary(column, kept, exact):
    values = kept[column.name].to_numpy()
    values = values[np.isfinite(values)]
    points = np.quantile(values, [0.25, 0.5, 0.75, 0.95]) if len(values) else [np.nan] * 4
    return {"min": whole(column.low), "max": whole(column.high), "sum": whole(column.sum), "mean": whole(column.sum / column.numbers), "numbers": column.numbers,
            "quantiles": [whole(point) for point in points], "exact": exact, "size_like": size_like(column.name)}


def ranks(values):
    return pd.Series(values).rank().to_numpy()


def correlations(scan, kept):
    names = [name for name in scan.measures if name in kept]
    names += [column.name for column in scan.columns.values() if column.kind == "number" and not column.found.get("axis") and column.name not in names]
    found, cache = [], {}
    for at, x in enumerate(names[:8]):
        for y in names[at + 1:8]:
            if seconds() < scan.deadline + 1:
                found += pair(x, y, kept, cache, scan.kept.stride == 1)
    return sorted(found, key=lambda entry: -abs(entry["spearman"]))[:12]


def pair(x, y, kept, cache, exact):
    a, b = kept[x].to_numpy(), kept[y].to_numpy()
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 8 or np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return []
    if both.all():
        for name, values in ((x, a), (y, b)):
            if name not in cache:
                cache[name] = ranks(values)
        ra, rb = cache[x], cache[y]
    else:
        ra, rb = ranks(a[both]), ranks(b[both])
    code = "df[[%r, %r]].corr(method='spearman')" % (x, y)
    return [{"x": x, "y": y, "pearson": round(float(np.corrcoef(a[both], b[both])[0, 1]), 4), "spearman": round(float(np.corrcoef(ra, rb)[0, 1]), 4),
             "rows": int(both.sum()), "exact": exact, "code": code}]


def group_tables(scan):
    """Per grouping column: how many groups, and the top ten by rows and by the sum of each size-like measure."""
    tables = []
    for name, table in scan.groups.items():
        filled = [(value, row) for value, row in table.items() if value]
        if not 1 < len(filled) <= DISTINCT:
            continue
        entry = {"by": name, "groups": len(filled), "count": ranking(filled, 0), "count_code": "df[%r].value_counts().head(10)" % name, "sums": []}
        for at, measure in enumerate(scan.measures[:3]):
            if size_like(measure) and scan.columns[measure].negatives == 0:
                entry["sums"].append({"measure": measure, "top": ranking(filled, at + 1), "code": "df.groupby(%r)[%r].sum().nlargest(10)" % (name, measure)})
        tables.append(entry)
    return sorted(tables, key=lambda entry: (-bool(entry["sums"]), not 3 <= entry["groups"] <= 200))[:5]


def ranking(filled, at):
    best = sorted(filled, key=lambda entry: (-entry[1][at], entry[0]))[:10]
    return [(short(value, 40), whole(row[at])) for value, row in best]


def top_tables(scan):
    return [{"measure": name, "labels": scan.labels, "rows": [(whole(value), at + 1, *labels) for value, at, labels in scan.tops.get(name, [])],
             "code": "df.nlargest(%d, %r)[%r]" % (TOP_ROWS, name, [*scan.labels, name])} for name in scan.measures[:3] if size_like(name)]


def first_chart(scan, slug, tables, kept):
    """The one chart that says most: places, groups, lists, months, numbers, in this order."""
    name = scan.source["name"]
    if scan.places:
        places = np.concatenate(scan.places)
        places = places[np.isfinite(places).all(axis=1)]
        return "places", "Where the rows of %s lie" % name, lambda: draw_map(slug, "map", places[:, 0], places[:, 1], [], "Places in %s" % name)
    axes = {column.found.get("axis"): column.name for column in scan.columns.values() if column.found.get("axis")}
    if "latitude" in axes and "longitude" in axes:
        return "places", "Where the rows of %s lie" % name, lambda: draw_map(slug, "map", kept[axes["latitude"]].to_numpy(), kept[axes["longitude"]].to_numpy(), [], "Places in %s" % name)
    if tables:
        return "groups", "Top groups of %s" % tables[0]["by"], lambda: draw_bars(slug, "by-" + slugged(tables[0]["by"]), group_panels(tables[0]))
    return lesser_chart(scan, slug, kept)


def group_panels(table):
    panels = [("Rows by %s" % table["by"], "rows", [value for value, _ in table["count"]], [times for _, times in table["count"]])]
    for entry in table["sums"][:1]:
        panels.append(("%s by %s" % (entry["measure"], table["by"]), "sum of " + entry["measure"], [value for value, _ in entry["top"]], [times for _, times in entry["top"]]))
    return panels


def lesser_chart(scan, slug, kept):
    for column in scan.columns.values():
        if column.kind == "list" and column.items:
            top = column.items.most_common(12)
            return "lists", "Most frequent items of %s" % column.name, lambda: draw_bars(slug, "items", [("Items of %s" % column.name, "rows", [item for item, _ in top], [times for _, times in top])])
        if column.kind == "date" and len(column.items) > 1:
            months = sorted(column.items.items())
            return "dates", "Rows by month of %s" % column.name, lambda: draw_line(slug, "by-month", [month for month, _ in months], [times for _, times in months], "Rows by month of %s" % column.name, "rows")
    for name in [*scan.measures, *kept.columns]:
        values = kept[name].to_numpy()
        values = values[np.isfinite(values)]
        if len(values) > 1 and np.ptp(values) > 0:
            return "numbers", "Distribution of %s" % name, lambda: draw_histogram(slug, "histogram", values, name)
    return common_values(scan, slug)


def common_values(scan, slug):
    for column in scan.columns.values():
        top = [entry for entry in column.counts.most_common(10) if entry[0]]
        if top:
            title = "Most frequent values of %s" % short(column.name, 40)
            return "values", title, lambda: draw_bars(slug, "values", [(title, "rows", [value for value, _ in top], [times for _, times in top])])
    return None


def charts_of(scan, slug, tables, kept):
    chosen = first_chart(scan, slug, tables, kept) if scan.rows else None
    if not chosen:
        return []
    op, title, draw = chosen
    return [{"path": draw(), "title": short(title, 120), "op": op}]


def table_profile(source, slug, deadline, row_limit):
    source = unquoted(source) if source["kind"] == "table" else source
    scan = Scan(source, deadline, row_limit)
    scan.run()
    if not scan.columns and source["kind"] == "table":
        scan.meet(pd.read_csv(source["path"], **{**table_options(source, None), "chunksize": None}))
    kept = scan.kept.frame()
    distinct = {column.name: column.distinct() for column in scan.columns.values()}
    tables = group_tables(scan)
    exact = scan.kept.stride == 1
    columns = [column_summary(column, scan.rows, distinct[column.name], kept, exact) for column in scan.columns.values()]
    missing = {column.name: ["", *column.absent] for column in scan.columns.values() if column.kind == "number" and column.absent}
    return {"rows": scan.rows, "stopped": scan.stopped, "width": len(columns), "columns": columns, "labels": scan.labels, "groups": tables, "tops": top_tables(scan),
            "correlations": correlations(scan, kept), "oddities": oddities(scan, distinct, kept), "charts": charts_of(scan, slug, tables, kept),
            "source": {key: value for key, value in source.items() if key not in ("path", "name", "size")}, "load": load_lines(source, scan, missing)}


def load_lines(source, scan, missing):
    columns = scan.columns.values()
    texts = [column.name for column in columns if column.found.get("digits") or column.kind == "date" and source.get("decimal") == ","]
    line = load_code(source, missing and {**{column.name: [""] for column in columns}, **missing}, texts)
    if any(column.padded for column in columns):
        line += "\ndf = df.apply(lambda column: column.str.strip() if column.dtype == object else column)"
    return line


def profile(params):
    source = look(params["file"])
    head = {"phase": "profile", "file": params["file"], "size": source["size"], "kind": source["kind"], "encoding": source["encoding"], "load": load_code(source) if source["kind"] == "text" else ""}
    if source["kind"] == "binary":
        return {**head, "magic": source["magic"], "rows": 0, "oddities": [odd("this is not text: it is %s" % source["magic"], [], 1, "")]}
    if source["kind"] == "empty":
        return {**head, "rows": 0, "oddities": [odd("the file is empty", [], 0, "")]}
    if source["kind"] == "text":
        return {**head, **text_profile(source, params["slug"]), "source": {"encoding": source["encoding"]}}
    return {**head, **table_profile(source, params["slug"], params["deadline"], params["rows"])}
