"""Plain text: lines, words, what comes often, what is long, what looks odd."""

STOP = set("the a an and or of to in is are was were be been it its this that for on with as at by from not no but if then than so we you he she they i his her their our my me him them "
           "have has had do does did will would can could should may might all any there which who what when where how into out up about over more most other some such only also very "
           "der die das und oder ein eine einer eines einem einen ist sind war waren nicht mit von zu im in den dem des auf für an als auch es er sie wir ihr ich sich bei nach aus wie".split())
WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_]))*")
LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b")


class Prose:
    def __init__(self):
        self.lines = self.blank = self.chars = self.words = self.trailing = self.tabs = self.foreign = self.headings = 0
        self.tokens, self.levels, self.repeats, self.endings = Counter(), Counter(), Counter(), Counter()
        self.longest, self.sentences, self.links, self.paragraphs, self.previous = [], 0, 0, 0, ""

    def see(self, line):
        text = line.rstrip("\r\n")
        self.endings["CRLF" if line.endswith("\r\n") else "LF" if line.endswith("\n") else "none"] += 1
        self.lines += 1
        self.chars += len(text)
        if not text.strip():
            self.blank += 1
        elif not self.previous.strip():
            self.paragraphs += 1
        self.previous = text
        self.see_words(text)
        self.see_looks(text)

    def see_words(self, text):
        found = WORD.findall(text)
        self.words += len(text.split())
        if len(self.tokens) < 200_000:
            self.tokens.update(word.lower() for word in found if len(word) > 1)
        self.sentences += len(re.findall(r"[.!?](?=\s|$)", text))
        self.links += text.count("http://") + text.count("https://")
        level = LEVEL.search(text)
        if level:
            self.levels[level.group(1)] += 1

    def see_looks(self, text):
        self.trailing += text != text.rstrip()
        self.tabs += "\t" in text
        self.foreign += not text.isascii()
        self.headings += bool(re.match(r"^#{1,6} \S", text))
        if len(text) > 20 and len(self.repeats) < 100_000:
            self.repeats[text.strip()] += 1
        if len(self.longest) < 5 or len(text) > self.longest[-1][0]:
            self.longest = sorted(self.longest + [(len(text), self.lines, short(text, 80))], key=lambda entry: (-entry[0], entry[1]))[:5]


def prose_oddities(prose):
    found = []
    for count, text in ((prose.trailing, "spaces or tabs are at the end of %d lines"), (prose.tabs, "a tab is in %d lines"), (prose.foreign, "characters outside ASCII are in %d lines")):
        if count:
            found.append(odd(text % count, [], count, ""))
    if len([ending for ending in prose.endings if ending != "none"]) > 1:
        found.append(odd("line ends are mixed: %s" % ", ".join("%d %s" % (times, name) for name, times in prose.endings.items()), [], 1, ""))
    again = sum(times - 1 for times in prose.repeats.values() if times > 1)
    if again:
        found.append(odd("an earlier line of more than 20 characters is repeated in %d lines" % again, [], again, ""))
    if prose.longest and prose.longest[0][0] > 2000:
        found.append(odd("line %d is %d characters long" % (prose.longest[0][1], prose.longest[0][0]), [], 1, ""))
    return found


def text_profile(source, slug):
    prose = Prose()
    with open_text(source) as file:
        stopped = None
        while True:
            line = file.readline(1 << 20)
            if not line:
                break
            prose.see(line)
            if seconds() > 20:
                stopped = "the sandbox's limit of 30 seconds on half a CPU left no time for the rest"
                break
    top = [(word, times) for word, times in prose.tokens.most_common(400) if word not in STOP and len(word) > 2][:20]
    charts = []
    if top:
        path = draw_bars(slug, "top-words", [("Most frequent words (stop words left out)", "occurrences", [word for word, _ in top], [times for _, times in top])])
        charts.append({"path": path, "title": "The most frequent words of %s" % source["name"], "op": "words"})
    return {"rows": prose.lines, "stopped": stopped, "charts": charts, "oddities": prose_oddities(prose), "text": text_figures(prose, top)}


def text_figures(prose, top):
    return {"lines": prose.lines, "blank": prose.blank, "characters": prose.chars, "words": prose.words, "sentences": prose.sentences, "paragraphs": prose.paragraphs,
            "headings": prose.headings, "links": prose.links, "distinct_words": len(prose.tokens), "mean_words": whole(round(prose.words / max(1, prose.lines - prose.blank), 2)),
            "levels": prose.levels.most_common(8), "top_words": top,
            "longest": [{"line": line, "length": length, "start": start} for length, line, start in prose.longest]}
