/** The processes of a simulated Loom: orchestrators and agent-runners are the real thing, the sandbox only keeps its promises. */
import { handleStep, handleTool, watchKills } from '@loom/agent-runner';
import type { Parts } from '@loom/agent-runner';
import type { Blobs } from '@loom/blobs';
import type { EngineRun } from '@loom/check';
import { JobCache } from '@loom/job';
import { openLog } from '@loom/log';
import type { Fact, Log, Source } from '@loom/log';
import { consumeTimers, consumeTriggers, decide, parentsOf, sweepOpenJobs, Turns } from '@loom/orchestrator';
import type { Bodies } from '@loom/schemas';
import type { NatsConnection } from '@nats-io/nats-core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bug } from './bugs.ts';
import { openVault } from './keys.ts';
import type { Provider } from './provider.ts';
import { intake, model } from './terms.ts';
import type { Host } from './timeline.ts';

/** What a process is started with. */
export interface Place {
  readonly host: Host;
  readonly connection: NatsConnection;
  readonly bug: Bug | null;
  readonly streams: number;
  /** Ms. */
  readonly sweepMs: number;
  readonly patience: number;
  readonly provider: Provider;
  readonly blobs: Pick<Blobs, 'get' | 'put'>;
  readonly runs: EngineRun[];
}

/** Never aborted: what ends a simulated process is its death. Each has its own, so that what listens to it is gone with it. */
const forEver = (): AbortSignal => new AbortController().signal;
const width = 20;

export async function logOf({ connection, streams, patience, bug }: Place, source: Source): Promise<Log> {
  const log = await openLog(connection, { source, vault: openVault, streams, patience });
  return bug?.log?.(log) ?? log;
}

export const decider = (bug: Bug | null): typeof decide => bug?.decide?.(decide) ?? decide;

export async function orchestrator(place: Place): Promise<void> {
  const log = await logOf(place, 'orchestrator');
  const signal = forEver();
  const parents = parentsOf({ log, vault: openVault, blobs: place.blobs });
  const turns = new Turns(log, intake, parents, { decide: decider(place.bug) });
  await Promise.all([
    consumeTriggers(log, turns, width, signal),
    consumeTimers(log, signal),
    sweepOpenJobs(log, turns, place.sweepMs, signal, () => undefined),
  ]);
}

export async function runner(place: Place): Promise<void> {
  const { host, bug, provider, blobs } = place;
  const log = await logOf(place, 'agent-runner');
  const cache = new JobCache(log);
  const jobs = bug?.jobs?.(cache) ?? cache;
  const parts = {
    log,
    jobs,
    vault: openVault,
    blobs,
    kills: watchKills(log, jobs),
    models: [model],
    unsettled: new Map(),
    worker: host.name,
  } satisfies Omit<Parts, 'ports'>;
  const handle = (fact: Fact): Promise<void> => {
    const ports: Parts['ports'] = new Map([['anthropic', provider.port(host, { fact, since: host.timeline.now })]]);
    return fact.type === 'step.requested'
      ? handleStep({ ...parts, ports }, fact)
      : handleTool({ ...parts, ports }, fact);
  };
  await log.consume({ service: 'agent-runner', open: true, width, signal: forEver(), handle });
}

export async function sandbox(place: Place): Promise<void> {
  const log = await logOf(place, 'sandbox');
  const handle = (fact: Fact): Promise<void> => runCode(place, log, fact);
  await log.consume({ service: 'sandbox', open: true, width, signal: forEver(), handle });
}

type Outcome = Pick<Bodies['tool.settled'], 'outcome' | 'code' | 'exit_code' | 'result' | 'files'>;

/** Serves what a playback brings along; else it reads the kills before the effect, runs, and settles: first come, first on record. */
async function runCode({ host, blobs, runs }: Place, log: Log, fact: Fact): Promise<void> {
  if (fact.said?.type !== 'run.requested') return;
  const { agent, step, call, attempt, tool, epoch, recorded } = fact.said.body;
  const about = { agent, step, call, attempt, tool, cost_micros: 0, input_hmac: Buffer.alloc(32), latency_ms: 1 };
  const settle = (outcome: Outcome): Promise<unknown> =>
    log.append(fact, { type: 'tool.settled', key: fact.key, body: { ...about, ...outcome } }, { replay: fact.replay });
  if (fact.replay === 'playback') return void (await settle(recorded ?? refused('not_recorded')));
  if (await isKilled(log, fact, agent, epoch)) return void (await settle(refused('killed')));
  runs.push({ job: fact.stream, call: fact.key });
  await sleep(20 + host.random.below(400));
  const path = 'final/out.txt';
  const { object, size, sha256, dataKey } = await blobs.put(
    { tenant: fact.tenant, job: fact.stream },
    Buffer.from(fact.key),
  );
  const file = { path, media_type: 'text/plain', size, sha256, object, data_key: dataKey };
  await settle({ outcome: 'completed', code: '', exit_code: 0, result: '', files: [file] });
}

const refused = (code: string): Outcome => ({ outcome: 'refused', code, exit_code: null, result: '', files: [] });

async function isKilled(log: Log, at: Fact, agent: string, epoch: number): Promise<boolean> {
  const found = await Promise.all([
    log.getClear(at, 'gateway', 'job.kill-requested', '0'),
    log.getClear(at, 'gateway', 'job.kill-requested', agent),
    log.getClear(at, 'orchestrator', 'epoch.raised', String(epoch + 1)),
  ]);
  return found.some((fact) => fact !== null);
}
