import { memo, useMemo } from 'react';
import { useShown } from './job-context.ts';

/** Most columns; a short job has one a fact. */
const most = 110;

/** How much happened when: behind the slider, as long as it. Marks stand where people were asked and where the job ended. */
export function Density() {
  const { log } = useShown();
  // Looked at again when the job has grown by a hundredth.
  const grown = Math.floor(log.facts.length / Math.max(1, Math.floor(log.facts.length / 100)));
  const bars = useMemo(() => barsOf(log.facts), [log, grown, log.facts.length < 200 ? log.facts.length : 0]);
  return <Bars bars={bars} />;
}

/** Facts a millisecond around each column, as a share of the busiest. */
function barsOf(facts: readonly { readonly time: number }[]): readonly number[] {
  const columns = Math.min(most, facts.length);
  const each = facts.length / columns;
  const rates = Array.from({ length: columns }, (_, at) => {
    const first = facts[Math.floor(at * each)];
    const last = facts[Math.min(facts.length - 1, Math.floor((at + 1) * each))];
    return first && last ? 1 / Math.log2(2 + Math.max(0, last.time - first.time)) : 0;
  });
  const top = Math.max(...rates, 0.001);
  return rates.map((rate) => Math.round((rate / top) * 20) / 20);
}

const Bars = memo(function Bars({ bars }: { readonly bars: readonly number[] }) {
  return (
    <svg
      className="density"
      viewBox={`0 0 ${Math.max(1, bars.length)} 20`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {bars.map((bar, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- a column is its place
        <rect key={at} x={at} y={20 - bar * 20} width={0.7} height={bar * 20} />
      ))}
    </svg>
  );
});
