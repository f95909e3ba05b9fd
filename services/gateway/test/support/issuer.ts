import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A local issuer of session tokens: what Clerk would sign, by hand, so that tests can also sign what Clerk never would. */
export interface Issuer {
  readonly pem: string;
  /** A valid token unless claims, header or key say otherwise; a claim of undefined is left out. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>, key?: KeyObject): string;
}

export const party = 'http://localhost:4000';
export const issuerName = 'https://clerk.loom.test';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function issuer(): Issuer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    pem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    token(claims = {}, header = {}, key = privateKey) {
      const now = Math.floor(Date.now() / 1_000);
      const base = {
        sub: 'user_ann',
        sid: 'sess_1',
        azp: party,
        iss: issuerName,
        iat: now,
        nbf: now - 10,
        exp: now + 600,
      };
      const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k1', ...header })}.${part({ ...base, ...claims })}`;
      return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
    },
  };
}

/** Signed with HMAC under any bytes: what a verifier that trusts the header's `alg` would take. */
export function hmacToken(claims: Record<string, unknown>, secret: string): string {
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export const unsignedToken = (claims: Record<string, unknown>): string =>
  `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
