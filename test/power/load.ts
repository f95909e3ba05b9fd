/** Writers that keep on appending facts of accounts, and a ledger of what the log acknowledged. */
import type { Address, Appended, ClearFact, Draft, Log } from '@loom/log';
import { LoomError } from '@loom/service';
import { request } from '../../packages/log/test/world.ts';

/** Sequence that was acknowledged, by `<tenant>/<key>`. */
export type Ledger = Map<string, number>;

const recorded = (key: string): Draft => ({ type: 'request.recorded', key, body: { outcome: 'done', request } });

const tenants = 12;
const tries = 10;

/** An append that is repeated, as a client repeats its request, while the log or its keys do not answer. */
export async function insist(log: Log, at: Address, draft: Draft): Promise<Appended> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await log.append(at, draft);
    } catch (cause) {
      if (LoomError.from(cause).retry === 'never' || attempt === tries) throw cause;
    }
  }
}

export interface Load {
  /** Begins no more appends; returns when every one that was begun is acknowledged. */
  stop(): Promise<void>;
}

/** `width` writers over tenants of all streams. Each fact has a key of its own: `<round>-<writer>-<n>`. */
export function load(log: Log, round: number, width: number, ledger: Ledger): Load {
  let going = true;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; going; n += 1) {
      const [tenant, key] = [`t${(writer + n) % tenants}`, `${round}-${writer}-${n}`];
      const { seq, won } = await insist(log, { tenant, stream: 'account' }, recorded(key));
      ledger.set(`${tenant}/${key}`, won ? seq : 0);
    }
  };
  const writers = Promise.all(Array.from({ length: width }, (_, writer) => write(writer)));
  return {
    async stop() {
      going = false;
      await writers;
    },
  };
}

/** Acknowledged facts that are not there, or not where they were said to be. */
export function lostOf(ledger: Ledger, facts: readonly ClearFact[]): string[] {
  const found = new Map(facts.map(({ tenant, key, type, seq }) => [`${type} ${tenant}/${key}`, seq]));
  return [...ledger].filter(([name, seq]) => found.get(`request.recorded ${name}`) !== seq).map(([name]) => name);
}

export async function wholeLog(log: Log): Promise<ClearFact[]> {
  const facts: ClearFact[] = [];
  for (const stream of log.streams) for await (const fact of log.tail(stream)) facts.push(fact);
  return facts;
}
