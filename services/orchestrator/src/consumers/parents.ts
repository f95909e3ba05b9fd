/** Reads the parent of a fork once, with what its facts name: from then on the fork needs nothing of it, nor of what that one was forked from. */
import type { Blobs } from '@loom/blobs';
import { bundleOf, openBundle, type Job } from '@loom/job';
import type { Address, Fact, Item, Log } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { LoomError } from '@loom/service';
import type { Vault } from '@loom/vault';
import type { Parent } from '../domain/intake.ts';
import type { Parents } from './turn.ts';

interface Reads {
  readonly log: Pick<Log, 'read'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly blobs: Pick<Blobs, 'get' | 'put'>;
}

export const parentsOf =
  (reads: Reads): Parents =>
  async (fork) => {
    const { forked_from: parent } = fork.submitted ?? {};
    if (!parent) return null;
    try {
      return await taken(reads, { tenant: fork.tenant, stream: parent }, fork);
    } catch (cause) {
      if (LoomError.from(cause).code === 'key_destroyed') return null;
      throw cause;
    }
  };

/** @throws LoomError `log_unavailable` while the fork point cannot be read: a replica may be behind */
async function taken({ log, vault, blobs }: Reads, at: Address, fork: Job): Promise<Parent | null> {
  const copies = new Copies(blobs, { tenant: fork.tenant, job: fork.stream });
  const facts: Fact[] = [];
  for await (const fact of log.read(at)) facts.push(await withOwnFiles(fact, copies));
  if (facts[0]?.type !== 'job.submitted') return null;
  const { from_seq: point } = fork.submitted ?? {};
  if ((facts.at(-1)?.seq ?? 0) < (point ?? 0))
    throw new LoomError('log_unavailable', `${at.stream} cannot be read up to ${point} yet`);
  return { facts, requestKey: (await vault.open(at.tenant, at.stream)).hmacKey('request') };
}

interface Place {
  readonly object: string;
  readonly data_key: Buffer;
}

/** Files of the parent, each copied once under the fork's own name; what is not in the store any more stays as it was. */
class Copies {
  readonly #blobs: Reads['blobs'];
  readonly #to: { readonly tenant: string; readonly job: string };
  readonly #made = new Map<string, Promise<Place>>();

  constructor(blobs: Reads['blobs'], to: { readonly tenant: string; readonly job: string }) {
    this.#blobs = blobs;
    this.#to = to;
  }

  of<F extends Place>(file: F): Promise<F> {
    const made = this.#made.get(file.object) ?? this.#copy(file);
    this.#made.set(file.object, made);
    return made.then((place) => ({ ...file, ...place }));
  }

  async #copy({ object, data_key }: Place): Promise<Place> {
    try {
      const copy = await this.#blobs.put(this.#to, await this.#blobs.get(object, data_key));
      return { object: copy.object, data_key: copy.dataKey };
    } catch (cause) {
      if (LoomError.from(cause).code === 'blob_missing') return { object, data_key };
      throw cause;
    }
  }
}

async function withOwnFiles(fact: Fact, copies: Copies): Promise<Fact> {
  return { ...fact, items: await Promise.all(fact.items.map((item) => itemWith(item, copies))) };
}

const all = <F extends Place>(files: readonly F[], copies: Copies): Promise<F[]> =>
  Promise.all(files.map((file) => copies.of(file)));

/** Where files lie is said by those who bring, ask for, make and record them, and by the bundle of a parent that is a fork itself. */
async function itemWith(item: Item, copies: Copies): Promise<Item> {
  if (item.type === 'job.submitted')
    return { ...item, body: { ...item.body, attachments: await all(item.body.attachments, copies) } };
  if (item.type === 'run.requested') return { ...item, body: await runWith(item.body, copies) };
  if (item.type === 'job.forked') return { ...item, body: await forkedWith(item.body, copies) };
  if (item.type === 'tool.settled')
    return { ...item, body: { ...item.body, files: await all(item.body.files, copies) } };
  return item.type === 'artifact.written' ? { ...item, body: await copies.of(item.body) } : item;
}

async function runWith(body: Bodies['run.requested'], copies: Copies): Promise<Bodies['run.requested']> {
  const { inputs, recorded } = body;
  const again = recorded && { ...recorded, files: await all(recorded.files, copies) };
  return { ...body, inputs: await all(inputs, copies), recorded: again };
}

async function forkedWith(body: Bodies['job.forked'], copies: Copies): Promise<Bodies['job.forked']> {
  const facts = await Promise.all(openBundle(body).map((fact) => withOwnFiles(fact, copies)));
  return { ...body, bundle: bundleOf(facts) };
}
