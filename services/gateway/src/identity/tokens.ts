import { verifyToken } from '@clerk/fastify';
import { LoomError } from '@loom/service';
import { tenantToken } from '../ids.ts';

/** Who calls. `tenant` is the token of the organisation, or of the person alone; ids are the identity provider's. */
export interface Identity {
  readonly person: string;
  readonly session: string;
  readonly tenant: string;
}

export interface TokenRules {
  /** PEM public keys; more than one while a key is being rotated. */
  readonly keys: readonly string[];
  readonly authorizedParties: readonly string[];
  /** null takes any issuer that holds the key. */
  readonly issuer: string | null;
}

type Claims = Readonly<Record<string, unknown>>;

/** Longest token looked at: Clerk's own stay under 4 KiB, since browsers cut cookies there. */
const longest = 8_192;
/** Clocks may differ by this much, ms. */
const skew = 5_000;
/** Header fields that would name a key: the key is ours alone. */
const foreignKeys = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

const refused = (cause?: unknown): LoomError =>
  new LoomError('unauthenticated', undefined, cause === undefined ? {} : { cause });
const text = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 256;

/** Verifies session tokens without any network call, at the time that `now` says (Unix ms). @throws LoomError `unauthenticated` on anything wrong, never saying what. */
export function tokenVerifier(rules: TokenRules, now: () => number = Date.now): (token: string) => Promise<Identity> {
  return async (token) => {
    if (token.length > longest || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw refused();
    refuseForeignKeys(token);
    const claims = await verified(token, rules, Math.abs(now() - Date.now()));
    checkTimes(claims, now());
    return identityOf(claims, rules);
  };
}

function refuseForeignKeys(token: string): void {
  try {
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Claims;
    if (foreignKeys.every((name) => !(name in header))) return;
  } catch (cause) {
    throw refused(cause);
  }
  throw refused();
}

/** `off`: how far this machine's clock, which is all that the library knows, may be from the right one, ms. */
async function verified(token: string, { keys, authorizedParties }: TokenRules, off: number): Promise<Claims> {
  let last: unknown;
  for (const jwtKey of keys) {
    try {
      const options = { jwtKey, authorizedParties: [...authorizedParties], clockSkewInMs: skew + off };
      return { ...(await verifyToken(token, options)) } as Claims;
    } catch (cause) {
      last = cause;
    }
  }
  throw refused(last);
}

/** By the right clock, as the library does it by this machine's. */
function checkTimes({ exp, nbf, iat }: Claims, now: number): void {
  const begins = [nbf, iat].every((at) => at === undefined || Number(at) * 1_000 <= now + skew);
  if (!begins || !(Number(exp) * 1_000 > now - skew)) throw refused();
}

/** Clerk's check of `azp` is repeated, since an empty list switches it off; `sts` is pending until a session did all that sign-in asks. */
function identityOf(claims: Claims, rules: TokenRules): Identity {
  const { sub, sid, azp, iss, sts } = claims;
  const organisation = organisationOf(claims);
  const known = typeof azp === 'string' && rules.authorizedParties.includes(azp);
  const issued = text(iss) && (rules.issuer === null || iss === rules.issuer);
  if (!text(sub) || !text(sid) || !known || !issued || sts === 'pending') throw refused();
  return { person: sub, session: sid, tenant: tenantToken(organisation ?? sub) };
}

/** Claim `org_id` of the first token version, `o.id` of the second; both, and different, is no token of Clerk's. */
function organisationOf({ org_id: first, o }: Claims): string | null {
  const second = (o as { id?: unknown } | null | undefined)?.id;
  const given = first ?? second ?? null;
  if (given !== null && (!text(given) || (second ?? given) !== given)) throw refused();
  return given as string | null;
}
