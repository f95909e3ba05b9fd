"""One pass over a table in bounded memory: per column its values, per group its sums, the heaviest rows, what is odd.

Exact unless it says otherwise: counts, sums, extremes and groups always; quantiles and correlations while the numbers fit `KEEP`.
"""
KEEP = 5_000_000
HASHES = 4_000_000
DISTINCT = 20_000
MEASURES, GROUPS, TOP_ROWS = 5, 8, 10


class Column:
    """What is known of one column so far."""

    def __init__(self, name, found, decimal):
        self.name, self.decimal = name, decimal
        self.kind, self.found = found["kind"], found
        self.present = self.blank = self.padded = self.misfits = 0
        self.counts, self.hashes, self.over = Counter(), [], False
        self.longest, self.absent, self.examples = 0, Counter(), []
        self.sum = 0.0
        self.low, self.high = None, None
        self.zeros = self.negatives = self.numbers = 0
        self.items, self.sizes, self.parts = Counter(), Counter(), []

    def see(self, codes, values, weights, hashes):
        """`values`: the distinct texts of a chunk, `weights`: how often each comes."""
        stripped = [value.strip() for value in values]
        for value, bare, times in zip(values, stripped, weights):
            self.see_text(value, bare, int(times))
        self.count(values, weights, hashes)
        if self.kind == "number":
            return self.see_numbers(stripped, codes, weights)
        if self.kind == "list":
            self.see_lists(stripped, weights)
        if self.kind in ("date", "coordinates"):
            self.see_form(stripped, weights)
        return None

    def see_text(self, value, bare, times):
        if not bare:
            self.blank += times
            return
        self.present += times
        if len(bare) != len(value):
            self.padded += times
        if bare in ABSENT:
            self.absent[bare] += times
        if len(bare) > self.longest:
            self.longest = len(bare)

    def count(self, values, weights, hashes):
        if not self.over:
            for value, times in zip(values, weights):
                self.counts[value.strip()] += int(times)
            self.over = len(self.counts) > DISTINCT
        self.hashes.append(hashes)
        if len(self.hashes) > 20:
            self.hashes = [np.unique(np.concatenate(self.hashes))]

    def distinct(self):
        found = np.unique(np.concatenate(self.hashes)) if self.hashes else np.array([])
        return int(len(found)) - (1 if self.blank else 0)

    def see_numbers(self, stripped, codes, weights):
        values = to_numbers(stripped, self.decimal)
        good = np.isfinite(values)
        for text, fits, times in zip(stripped, good, weights):
            if not fits and text and text not in ABSENT:
                self.misfit(text, int(times))
        counted, numbers = weights[good], values[good]
        if len(numbers):
            self.numbers += int(counted.sum())
            self.sum += float((numbers * counted).sum())
            self.low = min(numbers.min(), self.low if self.low is not None else np.inf)
            self.high = max(numbers.max(), self.high if self.high is not None else -np.inf)
            self.zeros += int(counted[numbers == 0].sum())
            self.negatives += int(counted[numbers < 0].sum())
        return values[codes]

    def misfit(self, text, times):
        self.misfits += times
        if len(self.examples) < 3 and short(text, 30) not in self.examples:
            self.examples.append(short(text, 30))

    def see_lists(self, stripped, weights):
        mark = self.found["separator"]
        for text, times in zip(stripped, weights):
            parts = [part.strip() for part in text.split(mark) if part.strip()]
            self.sizes[len(parts)] += int(times)
            for part in parts:
                self.items[part] += int(times)

    def see_form(self, stripped, weights):
        if self.kind == "date":
            values = to_dates(stripped, self.found["form"])
            good = values.notna().to_numpy()
            days = values[good].dt.strftime("%Y-%m-%d").tolist()
            for day, times in zip(days, weights[good]):
                self.items[day[:7]] += int(times)
            if days:
                self.low, self.high = min([self.low or days[0], *days]), max([self.high or days[0], *days])
        else:
            good = np.array([to_place(text) is not None for text in stripped], dtype=bool)
        for text, fits, times in zip(stripped, good, weights):
            if not fits and text and text not in ABSENT:
                self.misfit(text, int(times))


class Kept:
    """Numbers kept row by row; when they outgrow KEEP every second row is dropped, and `stride` says so."""

    def __init__(self):
        self.parts, self.stride, self.size, self.skip = [], 1, 0, 0

    def add(self, arrays, rows):
        start = -self.skip % self.stride
        self.skip += rows
        part = {name: values[start::self.stride] for name, values in arrays.items()}
        self.parts.append((len(range(start, rows, self.stride)), part))
        self.size += sum(len(values) for values in part.values())
        while self.size > KEEP:
            self.halve()

    def halve(self):
        frame = self.frame()
        kept = {name: frame[name].to_numpy()[::2].copy() for name in frame}
        self.parts = [(len(range(0, len(frame), 2)), kept)]
        self.stride *= 2
        self.size = sum(len(values) for values in kept.values())

    def frame(self):
        names = list(dict.fromkeys(name for _, part in self.parts for name in part))
        blank = {}
        for rows, _ in self.parts:
            blank.setdefault(rows, np.full(rows, np.nan))
        return pd.DataFrame({name: np.concatenate([part.get(name, blank[rows]) for rows, part in self.parts]) for name in names})


class Scan:
    """The whole pass. `deadline` in seconds since the start: what is read by then is what the profile covers."""

    def __init__(self, source, deadline, row_limit):
        self.source, self.deadline, self.row_limit = source, deadline, row_limit
        self.columns, self.kept, self.rows, self.stopped = {}, Kept(), 0, None
        self.row_hashes, self.groups, self.tops, self.late = [], {}, {}, []
        self.places, self.hashed = [], 0
        self.measures, self.cats, self.labels, self.placed = [], [], [], None

    def run(self):
        for frame in frames(self.source):
            self.see(frame)
            if self.row_limit and self.rows >= self.row_limit:
                self.stopped = "the cheaper variant reads the first rows only"
                break
            if seconds() > self.deadline:
                self.stopped = "the sandbox's limit of 30 seconds on half a CPU left no time for the rest"
                break
        return self

    def meet(self, frame):
        for name in frame.columns:
            if name not in self.columns and len(self.columns) < 2000:
                sample = frame[name].iloc[:5000].tolist()
                self.columns[name] = Column(name, kind_of(name, sample, self.source.get("decimal", ".")), self.source.get("decimal", "."))
                if self.rows:
                    self.late.append(name)
        if not self.rows:
            self.choose(len(frame))

    def choose(self, rows):
        """Which columns are measured, which group, which name a row."""
        numbers = [column.name for column in self.columns.values() if column.kind == "number" and not column.found.get("axis")]
        self.measures = sorted(numbers, key=lambda name: (not size_like(name), numbers.index(name)))[:MEASURES]
        cats = [column.name for column in self.columns.values() if column.kind == "category" and len(column.counts) <= DISTINCT]
        self.cats = cats[:GROUPS]
        names = [column.name for column in self.columns.values() if column.kind == "id" and not column.found.get("digits")]
        others = [name for kind in ("category", "id", "text") for name in self.columns if self.columns[name].kind == kind and name not in names]
        self.labels = (names[:1] + others)[:3] if names else others[:3]
        self.placed = next((column.name for column in self.columns.values() if column.kind == "coordinates"), None)

    def see(self, frame):
        self.meet(frame)
        coded, numbers, total = {}, {}, np.zeros(len(frame), dtype=np.uint64)
        for at, name in enumerate(frame.columns):
            column = self.columns.get(name)
            if column is None:
                continue
            codes, values = pd.factorize(frame[name].to_numpy())
            weights = np.bincount(codes, minlength=len(values))
            hashes = pd.util.hash_array(values, categorize=False)
            total += hashes[codes] * np.uint64(2 * at + 1)
            found = column.see(codes, values, weights, hashes)
            coded[name] = (codes, values)
            if found is not None:
                numbers[name] = found
        self.kept.add(numbers, len(frame))
        self.gather(frame, coded, numbers, total)
        self.rows += len(frame)

    def gather(self, frame, coded, numbers, total):
        if self.hashed < HASHES:
            self.row_hashes.append(total)
            self.hashed += len(total)
        for name in self.cats:
            if name in coded and len(self.groups.get(name, {})) <= DISTINCT:
                self.add_groups(name, *coded[name], numbers)
        for name in self.measures:
            if name in numbers:
                self.add_tops(name, numbers[name], frame)
        if self.placed in coded and self.rows < 200_000:
            codes, values = coded[self.placed]
            found = [to_place(value) or (np.nan, np.nan) for value in values]
            self.places.append(np.array(found, dtype=float).reshape(-1, 2)[codes])

    def add_groups(self, name, codes, values, numbers):
        table = self.groups.setdefault(name, {})
        counts = np.bincount(codes, minlength=len(values))
        sums = [np.bincount(codes, weights=np.nan_to_num(numbers[measure]), minlength=len(values)) if measure in numbers else np.zeros(len(values)) for measure in self.measures]
        for at, value in enumerate(values):
            row = table.setdefault(value.strip(), [0] + [0.0] * len(self.measures))
            row[0] += int(counts[at])
            for which, part in enumerate(sums):
                row[which + 1] += float(part[at])

    def add_tops(self, name, values, frame):
        best = self.tops.setdefault(name, [])
        known = np.flatnonzero(np.isfinite(values))
        if len(best) >= TOP_ROWS:
            known = known[values[known] > best[-1][0]]
        order = known[np.argsort(-values[known], kind="stable")][:TOP_ROWS]
        found = [(float(values[at]), self.rows + int(at), [short(frame[label].iat[at], 50) if label in frame else "" for label in self.labels]) for at in order]
        self.tops[name] = sorted(best + found, key=lambda entry: (-entry[0], entry[1]))[:TOP_ROWS]

    def duplicates(self):
        if not self.row_hashes:
            return 0
        every = np.concatenate(self.row_hashes)
        return int(len(every) - len(np.unique(every)))
