/** What `./loom replay --verify` makes again with: the running decider, the providers' own bytes, the job's keys. Nothing is called or run. */
import { verifyJob, type Maker, type ToolAsked, type Verified } from '@loom/check';
import { toolInput, wrongSnapshot } from '@loom/job';
import type { Address, Log } from '@loom/log';
import type { ModelPort } from '@loom/models';
import { DECIDER } from '@loom/orchestrator';
import { callSealer, openVault, type Keys, type Vault } from '@loom/vault';
import { decideNow } from '../check/decide-again.ts';
import type { Output } from '../output.ts';

interface Options {
  readonly log: Log;
  readonly rootKeyFile: string;
  /** Last sequence that is looked at. */
  readonly upto: number;
}

/** @throws LoomError `log_unavailable`, `root_key_unreadable` */
export async function verify(at: Address, { log, rootKeyFile, upto }: Options): Promise<Verified> {
  const vault = await openVault({ connection: log.connection, rootKeyFile });
  const verified = await verifyJob(log, at, upto, makerOf(vault, at));
  if (verified.broken !== null || verified.shredded) return verified;
  return { ...verified, broken: await misleading(log, at, upto) };
}

/** A snapshot that its facts do not come to: whoever begins with it goes wrong. */
async function misleading(log: Log, at: Address, upto: number): Promise<Verified['broken']> {
  const seq = await wrongSnapshot(log, at, upto);
  if (seq === null) return null;
  const message =
    'the snapshot kept at this fact says another thing than the facts up to it; delete it from the bucket';
  return { seq, subject: `$KV.loom_snapshots.${at.tenant}.${at.stream}.0`, message };
}

/** Opens the job's keys when they are first asked for. */
export function makerOf(vault: Vault, { tenant, stream }: Address): Maker {
  const ports = new Map<string, Port>();
  const keys = async (): Promise<Keys> => vault.held(tenant, stream) ?? (await vault.open(tenant, stream));
  return {
    decider: DECIDER,
    decide: decideNow,
    request: async (provider, asked) => {
      const port = ports.get(provider) ?? (await portOf(provider));
      ports.set(provider, port);
      return port === undefined ? null : (await keys()).hmac('request', port.body(asked));
    },
    input: async (asked) => inputHmac(await keys(), asked),
  };
}

type Port = Pick<ModelPort, 'body'> | undefined;

/** What says which bytes a provider is sent; undefined for one that is not known here. */
async function portOf(provider: string): Promise<Port> {
  const { silentPort } = await import('@loom/agent-runner');
  return silentPort(provider);
}

/** The runner makes it under the job's key, the sandbox under the call's. */
function inputHmac(keys: Keys, asked: ToolAsked): Buffer {
  const { type, key } = asked;
  const own = type === 'tool.requested' ? keys : callSealer(keys.callKey(key), { key });
  return own.hmac('input', toolInput(asked));
}

export function tellVerified(job: string, verified: Verified, out: Output): void {
  const { facts, decisions, shadowed, unasked, requests, inputs, remarks, broken, shredded } = verified;
  for (const remark of remarks) out.record({ remark });
  if (broken !== null) out.record({ broken });
  const counts = { facts, decisions, shadowed, unasked, requests, inputs, remarks: remarks.length };
  out.record({ job, ok: broken === null, ...counts, content: shredded ? 'shredded' : 'opened' });
  for (const { seq, message } of remarks) out.print(`${seq}: remark: ${message}`);
  if (broken !== null) return out.print(`${broken.seq} ${broken.subject}\n    ${broken.message}`);
  if (shredded)
    return out.print(
      `${facts} facts: sums and chains hold; the job's key was destroyed, so nothing else can be verified`,
    );
  out.print(
    `${facts} facts: sums and chains hold; ${decisions} decisions, ${requests} model requests and ${inputs} tool inputs came out the same`,
  );
  if (shadowed > 0) out.print(`${shadowed} decisions of another version were a shadow run: ${remarks.length} remarks`);
  if (unasked > 0)
    out.note(`not verified: ${unasked} that stand on what nobody recorded, or on a provider that is not known here`);
}
