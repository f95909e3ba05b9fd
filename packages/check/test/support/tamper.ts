/** Copies of a real job's facts in memory, to be tampered with: everything holds again but what a test breaks. */
import type { RawFact } from '@loom/log';
import { sumOfRaw } from '@loom/log';
import type { FactType, Wire } from '@loom/schemas';
import { decodeWire, encodeWire } from '@loom/schemas';
import { createHash, randomBytes } from 'node:crypto';

export interface Fact {
  seq: number;
  subject: string;
  headers: Map<string, string>;
  body: Uint8Array;
  /** The header that stays as the tampering left it. */
  keeps: 'loom-sum' | 'loom-chain' | null;
}

export const typeOf = ({ subject }: Fact): string => subject.split('.').slice(6, 8).join('.');
export const keyOf = ({ subject }: Fact): string => subject.split('.').at(-1) ?? '';
const isDecision = (fact: Fact): boolean => fact.headers.has('loom-chain');

/** Room between the facts: every sequence times ten, and all that names one. */
const spread = 10;

export class Copy {
  readonly facts: Fact[];
  readonly #stream: string;
  readonly #time: number;

  constructor(raw: readonly RawFact[]) {
    this.#stream = raw[0]?.stream ?? '';
    this.#time = raw[0]?.time ?? 0;
    this.facts = raw.map(({ seq, subject, headers, body }) => ({
      seq,
      subject,
      headers: new Map(headers),
      body,
      keeps: null,
    }));
    for (const fact of this.facts) {
      fact.seq *= spread;
      for (const name of ['loom-basis', 'loom-decision']) {
        const value = fact.headers.get(name);
        if (value !== undefined) fact.headers.set(name, String(Number(value) * spread));
      }
      if (typeOf(fact) === 'decision.made') this.rename(fact, fact.headers.get('loom-basis') ?? '');
    }
  }

  /** The one fact of a type and key; of several (a slot's outcome, say) the first. */
  find(type: string, key?: string): Fact {
    const found = this.facts.find((fact) => typeOf(fact) === type && (key === undefined || keyOf(fact) === key));
    if (found === undefined) throw new Error(`there is no ${type} ${key ?? ''}`);
    return found;
  }

  /** The decision that carries an item of this key. */
  holding(key: string): Fact {
    const found = this.facts.find((fact) => typeOf(fact) === 'decision.made' && Buffer.from(fact.body).includes(key));
    if (found === undefined) throw new Error(`no decision holds ${key}`);
    return found;
  }

  /** Gives a fact another key, source or type: subject and ce-subject agree. */
  rename(fact: Fact, key: string, source?: string): void {
    const parts = fact.subject.split('.');
    parts[parts.length - 1] = key;
    if (source !== undefined) parts[5] = source;
    fact.subject = parts.join('.');
    fact.headers.set('ce-subject', `${parts[3]}/${parts[4]}/${typeOf(fact)}/${key}`);
    if (source !== undefined) fact.headers.set('ce-source', source);
  }

  /** Makes another fact of it. */
  retype(fact: Fact, type: FactType, key: string, body: Uint8Array): void {
    const parts = fact.subject.split('.');
    fact.subject = [...parts.slice(0, 6), type, key].join('.');
    fact.headers.set('ce-type', `loom.${type}`);
    this.rename(fact, key);
    fact.body = body;
  }

  edit(fact: Fact, change: (wire: Wire) => Wire): void {
    const { type, wire } = decodeWire(fact.body);
    fact.body = encodeWire(type, change(wire));
  }

  /** Changes one item of a decision. */
  editItem(fact: Fact, key: string, change: (wire: Wire) => Wire): void {
    this.edit(fact, (wire) => ({
      items: (wire['items'] as { type: string; key: string; body: Buffer }[]).map((item) => {
        if (item.key !== key) return item;
        const { type, wire: inner } = decodeWire(item.body);
        return { ...item, body: encodeWire(type, change(inner)) };
      }),
    }));
  }

  /** A copy of a fact right behind another, with an id of its own. */
  insert(behind: Fact, model: Fact): Fact {
    let seq = behind.seq;
    while (this.facts.some((fact) => fact.seq === seq)) seq += 1;
    const copy = { ...model, headers: new Map(model.headers), seq, keeps: null };
    copy.headers.set('ce-id', randomBytes(32).toString('hex'));
    this.facts.splice(this.facts.filter((fact) => fact.seq < seq).length, 0, copy);
    return copy;
  }

  /** The same for a fenced decision: it stands on the fact before it, and the next one takes notice of it. */
  insertDecision(behind: Fact, model: Fact): Fact {
    const copy = this.insert(behind, model);
    const at = this.facts.indexOf(copy);
    copy.headers.set('loom-basis', String(this.facts[at - 1]?.seq ?? 0));
    const next = this.facts.slice(at + 1).find(isDecision);
    if (next !== undefined && Number(next.headers.get('loom-basis')) < copy.seq) this.#stand(next, copy.seq);
    return copy;
  }

  #stand(fact: Fact, on: number): void {
    fact.headers.set('loom-basis', String(on));
    if (typeOf(fact) === 'decision.made') this.rename(fact, String(on));
  }

  /** Takes a fact out; who stood on it stands on the one before. */
  remove(gone: Fact): void {
    const at = this.facts.indexOf(gone);
    this.facts.splice(at, 1);
    const before = this.facts[at - 1]?.seq ?? 0;
    for (const fact of this.facts) if (Number(fact.headers.get('loom-basis')) === gone.seq) this.#stand(fact, before);
  }

  /** The facts with sums and chains that hold. */
  raw(): RawFact[] {
    const chains = new Map<number, string>();
    let chain = '';
    return this.facts.map((fact) => {
      if (isDecision(fact) && fact.keeps !== 'loom-chain')
        fact.headers.set('loom-chain', chains.get(Number(fact.headers.get('loom-basis'))) ?? '');
      if (fact.keeps !== 'loom-sum') fact.headers.set('loom-sum', sumOfRaw(this.#rawOf(fact)));
      const sum = fact.headers.get('loom-sum') ?? '';
      chain = createHash('sha256').update(chain).update(sum).digest('hex');
      chains.set(fact.seq, chain);
      return this.#rawOf(fact);
    });
  }

  #rawOf({ seq, subject, headers, body }: Fact): RawFact {
    return { stream: this.#stream, seq, time: this.#time + seq, subject, headers: [...headers], body };
  }
}
