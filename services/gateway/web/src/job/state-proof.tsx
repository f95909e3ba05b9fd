import { useEffect, useState } from 'react';
import { essenceOf } from '../../../../../packages/job/src/pure.ts';
import { sleep } from '../api/client.ts';
import { stateHashAt } from '../api/jobs.ts';
import { useApi } from '../parts/contexts.ts';
import { Icon } from '../parts/icons.tsx';
import { useShown } from './job-context.ts';

type Proof = 'checking' | 'same' | 'differs' | 'unknown';

async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Holds the state that this page folded against the one that the gateway folds, by their hashes. */
export function StateProof() {
  const api = useApi();
  const { job, view, position } = useShown();
  const [proof, setProof] = useState<{ readonly hash: string; readonly is: Proof }>({ hash: '', is: 'checking' });
  useEffect(() => {
    const rest = new AbortController();
    const check = async (): Promise<void> => {
      await sleep(400, rest.signal);
      if (rest.signal.aborted) return;
      const [own, theirs] = await Promise.all([hashOf(essenceOf(job)), stateHashAt(api, view.id, job.seq)]);
      if (!rest.signal.aborted) setProof({ hash: own, is: own === theirs ? 'same' : 'differs' });
    };
    setProof({ hash: '', is: 'checking' });
    check().catch(() => setProof({ hash: '', is: 'unknown' }));
    return () => rest.abort();
  }, [api, job, view.id, position]);
  const words = { checking: 'checking …', same: `state ${proof.hash.slice(0, 12)}`, differs: 'differs', unknown: '' };
  return (
    <span className="proof mono" data-is={proof.is} title={proof.hash}>
      {proof.is === 'same' && <Icon name="check" size={12} />}
      {proof.is === 'same' && <span className="hidden">as the gateway folds it:</span>}
      {words[proof.is]}
    </span>
  );
}
