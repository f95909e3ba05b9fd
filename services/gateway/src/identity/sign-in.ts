/**
 * Owns which tenants and sessions this process has seen on the log; the log alone is the truth of it.
 * G1  A tenant's first act is preceded by `account.opened`, a session's by `session.opened`; each once, whoever races.
 * G2  A call that is refused leaves neither behind: they are written right before what it appends, or with an answer that went well.
 */
import type { Log } from '@loom/log';
import type { Request } from '@loom/schemas';
import { sessionToken } from '../ids.ts';
import type { Identity } from './tokens.ts';

export type SignIn = (caller: Identity, request: Request) => Promise<void>;

/** Most entries kept in process; who falls out is appended again, which the log answers with its first fact. */
const most = 20_000;

export function signIn(log: Log): SignIn {
  const seen = new Map<string, Promise<void>>();
  const once = (key: string, act: () => Promise<unknown>): Promise<void> => {
    const known = seen.get(key);
    if (known) return known;
    const done = act().then(() => undefined);
    seen.set(key, done);
    if (seen.size > most) seen.delete(seen.keys().next().value ?? key);
    done.catch(() => seen.delete(key));
    return done;
  };
  return async (caller, request) => {
    await once(caller.tenant, () => openAccount(log, caller, request));
    await once(`${caller.tenant} ${caller.session}`, () => openSession(log, caller, request));
  };
}

function openAccount(log: Log, { tenant, person }: Identity, request: Request): Promise<unknown> {
  const body = { email: '', name: '', owner: person, request };
  return log.append({ tenant, stream: 'account' }, { type: 'account.opened', key: '0', body });
}

function openSession(log: Log, { tenant, person, session }: Identity, request: Request): Promise<unknown> {
  const key = sessionToken(session);
  const body = { session: key, person, request };
  return log.append({ tenant, stream: 'account' }, { type: 'session.opened', key, body });
}
