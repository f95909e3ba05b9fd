/** What the scripted swarm runs: plain Python over any delimited file with a header, its name passed as a JSON literal. */

const reading = (name: string): string => `
import csv, json
name = json.loads(${JSON.stringify(JSON.stringify(name))})
with open(name, newline='', encoding='utf-8', errors='replace') as file:
    head = file.readline()
    delimiter = max(',;\\t|', key=head.count)
    file.seek(0)
    rows = list(csv.DictReader(file, delimiter=delimiter))
columns = list(rows[0]) if rows else []
def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
numeric = [c for c in columns if rows and all(number(r[c]) is not None for r in rows if r[c])]
def show(value):
    return str(int(value)) if value == int(value) else repr(value)
def figure(label, value):
    print(f'FIGURE {name}: {label} = {value}')
`;

/** Rows, sums and extremes of numeric columns, and the largest groups of the others. */
export const countProgram = (name: string): string => `${reading(name)}
from collections import Counter
figure('rows', len(rows))
for column in numeric:
    values = [number(r[column]) for r in rows if r[column]]
    if values:
        figure(f'sum of {column}', show(sum(values)))
        figure(f'largest {column}', show(max(values)))
for column in columns:
    groups = Counter(r[column] for r in rows)
    if column not in numeric and 1 < len(groups) <= len(rows) / 4:
        for value, count in groups.most_common(3):
            figure(f'rows with {column} {value or "(empty)"}', count)
`;

/** Missing values and repeated rows. */
export const oddityProgram = (name: string): string => `${reading(name)}
for column in columns:
    figure(f'empty {column}', sum(1 for r in rows if not r[column]))
figure('repeated rows', len(rows) - len({tuple(r.values()) for r in rows}))
`;

/** A bar chart of the largest groups of the first column that has groups. */
export const chartProgram = (name: string): string => `${reading(name)}
import os, re
from collections import Counter
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
grouped = [(c, Counter(r[c] for r in rows)) for c in columns if c not in numeric]
column, groups = min(grouped, key=lambda pair: abs(len(pair[1]) - 12)) if grouped else ('rows', Counter(all=len(rows)))
top = groups.most_common(8)
os.makedirs('final', exist_ok=True)
path = 'final/' + re.sub(r'[^A-Za-z0-9]+', '-', os.path.splitext(name)[0]).strip('-') + '.png'
plt.barh([str(k)[:40] or '(empty)' for k, _ in top][::-1], [v for _, v in top][::-1])
plt.title(f'{name} by {column}')
plt.tight_layout()
plt.savefig(path)
figure(f'groups of {column}', len(groups))
print(path)
`;
