import { createPublicKey } from 'node:crypto';
import { logSettings, setting } from '@loom/service';
import type { Setting, Settings } from '@loom/service';

const block = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+?-----END PUBLIC KEY-----/g;

/** Clerk's loader reads RSA keys of 2048 bits and exponent 65537 alone; any other would fail at the first request. */
function checked(pem: string): string {
  const key = createPublicKey(pem);
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || modulusLength !== 2048 || publicExponent !== 65_537n)
    throw new Error('not RSA 2048');
  return pem;
}

/** One PEM public key, or two one after the other while a key is being rotated. */
export function publicKeys(raw: string): readonly string[] {
  if (raw.includes('\\n')) throw new Error('a PEM public key with real line breaks (it holds the two characters \\n)');
  const keys = raw.match(block) ?? [];
  if (keys.length === 0 || raw.replaceAll(block, '').trim() !== '')
    throw new Error('a PEM public key, header and trailer included');
  try {
    return keys.map(checked);
  } catch {
    throw new Error('an RSA public key of 2048 bits with exponent 65537');
  }
}

const parties = (raw: string): readonly string[] => {
  const list = raw.split(',').map((part) => part.trim());
  if (list.includes('')) throw new Error('one or more origins, separated by commas');
  return list;
};

/** The issuer that a Clerk publishable key stands for: `https://` and the front-end host that it encodes. */
function issuerOf(key: string): string {
  const host = Buffer.from(key.replace(/^pk_(test|live)_/, ''), 'base64')
    .toString()
    .replace(/\$$/, '');
  if (!/^pk_(test|live)_/.test(key) || !/^[a-z0-9.:-]+$/i.test(host)) throw new Error('a Clerk publishable key');
  return `https://${host}`;
}

/** A Clerk publishable key beside the issuer that it names. */
const clerkOf = (key: string) => ({ key, host: issuerOf(key) });

const optional = <T>(name: string, parse: (raw: string) => T): Setting<T | null> => ({
  name,
  parse,
  fallback: { value: null },
});
const required = <T>(name: string, parse: (raw: string) => T): Setting<T> => ({ name, parse });

/** Every setting of the gateway. */
export const settings = {
  ...logSettings('gateway'),
  postgres: setting.secret('LOOM_PG_URL'),
  rootKeyFile: setting.text('LOOM_ROOT_KEY_FILE'),
  host: setting.text('LOOM_HOST', '127.0.0.1'),
  port: setting.port('LOOM_PORT', 0),
  /** Both set: the gateway itself speaks TLS 1.3. */
  tlsCertificate: setting.optional('LOOM_TLS_CERT_FILE'),
  tlsKey: setting.optional('LOOM_TLS_KEY_FILE'),
  /** Only behind a proxy that sets X-Forwarded-For and X-Forwarded-Proto itself. */
  trustProxy: setting.flag('LOOM_TRUST_PROXY', false),
  jwtKeys: required('LOOM_JWT_KEY', publicKeys),
  authorizedParties: required('LOOM_AUTHORIZED_PARTIES', parties),
  /** Where both are absent the issuer is what the key says it is: who signs with it. */
  issuer: setting.optional('LOOM_JWT_ISSUER'),
  clerk: optional('LOOM_CLERK_PUBLISHABLE_KEY', clerkOf),
  /** Calls a minute of one person. */
  rateLimit: setting.integer('LOOM_RATE_LIMIT', { min: 1, max: 1_000_000 }, 3_000),
  securityContact: setting.text('LOOM_SECURITY_CONTACT', 'mailto:security@localhost'),
} as const;

export type GatewaySettings = Settings<typeof settings>;
