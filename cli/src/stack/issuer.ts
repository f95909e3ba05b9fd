/** The local issuer of session tokens: Clerk's place in an embedded stack, verified along the very same path. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { layout, readIfThere, writeSecret } from './files.ts';

/** Claims `iss` and `azp` of local tokens; the gateway is told to accept these alone. */
export const issuer = 'urn:loom:local';
export const authorizedParty = 'urn:loom:cli';

export interface TokenRequest {
  /** A shared tenant (an organisation); absent: the person's own. */
  readonly tenant?: string;
  /** Default `local`. */
  readonly person?: string;
  readonly admin?: boolean;
  /** Default 3600. */
  readonly seconds?: number;
}

/** The private key of this data folder, made on first use. */
async function privateKey(home: string): Promise<string> {
  const file = layout(home).issuerKey;
  const there = await readIfThere(file);
  if (there !== null) return there;
  const { privateKey: made } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 65_537 });
  const pem = made.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeSecret(file, pem);
  return pem;
}

/** What the gateway verifies with, PEM. */
export async function issuerPublicKey(home: string): Promise<string> {
  return createPublicKey(await privateKey(home))
    .export({ type: 'spki', format: 'pem' })
    .toString();
}

/** A signed session token (RS256) with the claims that Clerk's have. */
export async function mintToken(home: string, request: TokenRequest = {}): Promise<string> {
  const person = request.person ?? 'local';
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    sid: `sess_${person}`,
    azp: authorizedParty,
    ...(request.tenant === undefined ? {} : { org_id: `org_${request.tenant}` }),
    ...(request.admin === true ? { loom_admin: true } : {}),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'local', typ: 'JWT' })
    .setSubject(`user_${person}`)
    .setIssuer(issuer)
    .setIssuedAt(now)
    .setNotBefore(now - 5)
    .setExpirationTime(now + (request.seconds ?? 3600))
    .sign(createPrivateKey(await privateKey(home)));
}
