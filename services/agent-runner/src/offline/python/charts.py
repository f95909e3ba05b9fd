"""Charts as PNG under final/. Labels come from the data and are drawn as plain text."""
import matplotlib

matplotlib.use("Agg")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

matplotlib.rcParams["text.usetex"] = False
MADE_BY = "Drawn by Loom (AI system, offline mode: rules, no language model)"
BLUE, ORANGE = "#2f6f9f", "#d9822b"


def plain(text, size=28):
    """Text without the marks that matplotlib would read as formulas."""
    return short(text, size).replace("$", r"\$")


def save(figure, slug, what):
    os.makedirs("final", exist_ok=True)
    path = "final/%s-%s.png" % (slug, what)
    FigureCanvasAgg(figure)
    figure.tight_layout(rect=(0, 0.035, 1, 1))
    figure.text(0.995, 0.005, MADE_BY, ha="right", va="bottom", fontsize=6, color="#777777")
    figure.savefig(path, dpi=110)
    return path


def canvas(panels=1, height=4.4):
    figure = Figure(figsize=(5.2 * panels + 1.6, height))
    return figure, [figure.add_subplot(1, panels, at + 1) for at in range(panels)]


def bars_on(axis, labels, values, title, unit, color):
    places = np.arange(len(labels))
    axis.barh(places, values, color=color)
    axis.set_yticks(places)
    axis.set_yticklabels([plain(label, 42) for label in labels], fontsize=7 if any(len(str(label)) > 24 for label in labels) else 8)
    axis.invert_yaxis()
    axis.set_title(plain(title, 60), fontsize=10)
    axis.set_xlabel(plain(unit, 40), fontsize=8)
    axis.tick_params(axis="x", labelsize=7)
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    if all(float(value).is_integer() for value in values):
        axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def draw_bars(slug, what, panels):
    """`panels`: (title, unit, labels, values); one horizontal bar chart each."""
    figure, axes = canvas(len(panels), 2 + 0.28 * max(len(panel[2]) for panel in panels))
    for at, (title, unit, labels, values) in enumerate(panels):
        bars_on(axes[at], labels, values, title, unit, (BLUE, ORANGE)[at % 2])
    return save(figure, slug, what)


def skewed(values):
    positive = values[values > 0]
    return len(positive) > 0.9 * len(values) and len(positive) > 20 and np.quantile(positive, 0.99) > 20 * max(np.median(positive), 1e-9)


def draw_scatter(slug, what, x, y, names):
    """At most 5,000 points, evenly drawn from the rows."""
    step = max(1, len(x) // 5000)
    figure, (axis,) = canvas(1)
    axis.scatter(x[::step], y[::step], s=7, alpha=0.4, color=BLUE, linewidths=0)
    for scale, values in ((axis.set_xscale, x), (axis.set_yscale, y)):
        if skewed(values):
            scale("symlog", linthresh=1)
    axis.set_xlabel(plain(names[0], 50), fontsize=9)
    axis.set_ylabel(plain(names[1], 50), fontsize=9)
    axis.set_title(plain("%s against %s" % (names[1], names[0]), 70), fontsize=10)
    return save(figure, slug, what)


def draw_map(slug, what, lat, lon, marks, title):
    """Places by longitude and latitude; `marks`: (latitude, longitude, label) named on the chart."""
    step = max(1, len(lat) // 20000)
    figure, (axis,) = canvas(1, 4.6)
    axis.scatter(lon[::step], lat[::step], s=9, alpha=0.6, color=BLUE, linewidths=0)
    for latitude, longitude, label in marks:
        axis.plot([longitude], [latitude], marker="o", color=ORANGE, markersize=5)
        axis.annotate(plain(label, 30), (longitude, latitude), textcoords="offset points", xytext=(5, 3), fontsize=7)
    axis.set_xlabel("longitude (degrees east)", fontsize=9)
    axis.set_ylabel("latitude (degrees north)", fontsize=9)
    axis.axhline(0, color="#bbbbbb", linewidth=0.7)
    axis.set_title(plain(title, 70), fontsize=10)
    return save(figure, slug, what)


def draw_histogram(slug, what, values, name):
    figure, (axis,) = canvas(1)
    log = skewed(values)
    edges = np.unique(np.geomspace(max(values[values > 0].min(), 1e-9), values.max(), 40)) if log else 40
    axis.hist(values[values > 0] if log else values, bins=edges, color=BLUE)
    if log:
        axis.set_xscale("log")
    axis.set_xlabel(plain(name, 50), fontsize=9)
    axis.set_ylabel("rows", fontsize=9)
    axis.set_title(plain("Distribution of %s" % name, 70), fontsize=10)
    return save(figure, slug, what)


def draw_line(slug, what, labels, values, title, unit):
    figure, (axis,) = canvas(1)
    axis.plot(np.arange(len(labels)), values, color=BLUE, marker="o", markersize=3)
    every = max(1, len(labels) // 12)
    axis.set_xticks(np.arange(0, len(labels), every))
    axis.set_xticklabels([plain(label) for label in labels[::every]], fontsize=7, rotation=45)
    axis.set_ylabel(plain(unit, 40), fontsize=9)
    axis.set_title(plain(title, 70), fontsize=10)
    return save(figure, slug, what)
