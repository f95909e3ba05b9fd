import { useMemo } from 'react';
import { useJobs } from '../list/jobs-store.tsx';

interface Values {
  readonly engagement: string;
  readonly budget: string;
}

interface Props {
  readonly terms: Values;
  readonly change: (terms: Values) => void;
  readonly trouble: { readonly field: string | null } | null;
}

/** Under which engagement, and for how much. */
export function Terms({ terms, change, trouble }: Props) {
  const { all } = useJobs();
  const known = useMemo(() => [...new Set(all.map(({ engagement }) => engagement))].toSorted(), [all]);
  return (
    <div className="terms">
      <label>
        <span>Engagement</span>
        <input
          list="engagements"
          placeholder="default"
          autoCapitalize="off"
          spellCheck={false}
          aria-invalid={trouble?.field === 'engagement' || undefined}
          value={terms.engagement}
          onChange={(event) => change({ ...terms, engagement: event.target.value })}
        />
        <datalist id="engagements">
          {known.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label>
        <span>Budget, $</span>
        <input
          inputMode="decimal"
          placeholder="as set"
          className="amount"
          aria-invalid={trouble?.field === 'budget_micros' || undefined}
          value={terms.budget}
          onChange={(event) => change({ ...terms, budget: event.target.value })}
        />
      </label>
    </div>
  );
}
