import { useEffect, useState } from 'react';
import { essenceOf } from '../../../../../packages/job/src/pure.ts';
import { sleep, type Api } from '../api/client.ts';
import { stateHashAt } from '../api/jobs.ts';
import { useApi } from '../parts/contexts.ts';
import { Icon } from '../parts/icons.tsx';
import { useShown, type ShownJob } from './job-context.ts';

type Proof = { readonly hash: string; readonly is: 'checking' | 'same' | 'differs' | 'unknown' };

/** A state of more facts is written out only when somebody asks: it takes a tenth of a second that presses would wait for. */
const many = 1_000;

async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Holds the state that this page folded against the one that the gateway folds, by their hashes. */
async function prove(api: Api, { job, view }: ShownJob): Promise<Proof> {
  const [own, theirs] = await Promise.all([hashOf(essenceOf(job)), stateHashAt(api, view.id, job.seq)]);
  return { hash: own, is: own === theirs ? 'same' : 'differs' };
}

export function StateProof() {
  const shown = useShown();
  const [asked, setAsked] = useState<number | null>(null);
  const wanted = shown.job.facts <= many || asked === shown.position;
  if (wanted) return <Checked key={shown.position} shown={shown} />;
  return (
    <button type="button" className="link proof" onClick={() => setAsked(shown.position)}>
      Check this state
    </button>
  );
}

function Checked({ shown }: { readonly shown: ShownJob }) {
  const api = useApi();
  const [{ hash, is }, setProof] = useState<Proof>({ hash: '', is: 'checking' });
  useEffect(() => {
    const rest = new AbortController();
    const check = async (): Promise<void> => {
      await sleep(400, rest.signal);
      if (rest.signal.aborted) return;
      const proof = await prove(api, shown);
      if (!rest.signal.aborted) setProof(proof);
    };
    check().catch(() => setProof({ hash: '', is: 'unknown' }));
    return () => rest.abort();
    // A point of the past stays what it is, whatever comes behind it.
  }, [api, shown.position]);
  const words = { checking: 'checking …', same: `state ${hash.slice(0, 12)}`, differs: 'differs', unknown: '' };
  return (
    <span className="proof mono" data-is={is} title={hash}>
      {is === 'same' && <Icon name="check" size={12} />}
      {is === 'same' && <span className="hidden">as the gateway folds it:</span>}
      {words[is]}
    </span>
  );
}
