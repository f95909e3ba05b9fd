import { memo, useMemo } from 'react';
import type { Fact } from '@loom/log';
import { useShown } from './job-context.ts';

/** Most columns; a short job has one a fact. */
const most = 140;

interface Bar {
  readonly tone: string;
  /** Of 20. */
  readonly height: number;
}

const bars: readonly { readonly is: (type: string) => boolean; readonly bar: Bar }[] = [
  { is: (type) => /^(job\.failed|job\.refused|message\.parked)$/.test(type), bar: { tone: 'bad', height: 20 } },
  { is: (type) => /^job\.(completed|cancelled)$/.test(type), bar: { tone: 'done', height: 20 } },
  { is: (type) => /^(message\.|input\.|budget\.|job\.)/.test(type), bar: { tone: 'ask', height: 17 } },
  { is: (type) => /^(agent\.|artifact\.)/.test(type), bar: { tone: 'done', height: 13 } },
  { is: (type) => type === 'tool.settled', bar: { tone: 'tool', height: 11 } },
  { is: (type) => type === 'step.settled', bar: { tone: 'busy', height: 11 } },
];
const plain: Bar = { tone: 'idle', height: 5 };

/** What kind of fact lies where on the slider: of each column the one that says most. */
export function Density() {
  const { log } = useShown();
  const total = log.facts.length;
  // A long job is looked at again when it has grown by a hundredth.
  const grown = total < 200 ? total : Math.floor(Math.log(total) * 100);
  const shown = useMemo(() => columnsOf(log.facts), [log, grown]);
  return <Columns shown={shown} />;
}

function columnsOf(facts: readonly Fact[]): readonly Bar[] {
  const columns = Math.min(most, facts.length);
  return Array.from({ length: columns }, (_, at) => {
    const [from, to] = [at, at + 1].map((edge) => Math.floor((edge * facts.length) / columns));
    return loudest(facts.slice(from, to));
  });
}

function loudest(facts: readonly Fact[]): Bar {
  const types = new Set(facts.flatMap(({ type, items }) => [type, ...items.map((item) => item.type)]));
  return bars.find(({ is }) => [...types].some(is))?.bar ?? plain;
}

const Columns = memo(function Columns({ shown }: { readonly shown: readonly Bar[] }) {
  const each = 100 / Math.max(1, shown.length - 1);
  return (
    <svg className="density" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {shown.map(({ tone, height }, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- a column is its place
        <path key={at} d={`M${at * each} 20V${20 - height}`} vectorEffect="non-scaling-stroke" data-tone={tone} />
      ))}
    </svg>
  );
});
