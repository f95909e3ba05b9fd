import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Signed double submit: a token is worth something only to the session that it was made for. */
export interface Csrf {
  issue(session: string): string;
  valid(session: string, token: string | undefined): boolean;
}

export const csrfCookie = '__Host-loom_csrf';

const shape = /^[\w-]{22}\.[\w-]{43}$/;

/** `key`: 32 bytes, the same in every replica. */
export function csrf(key: Uint8Array): Csrf {
  const sign = (session: string, nonce: string): string =>
    createHmac('sha256', key).update(`${session}\0${nonce}`).digest('base64url');
  return {
    issue(session) {
      const nonce = randomBytes(16).toString('base64url');
      return `${nonce}.${sign(session, nonce)}`;
    },
    valid(session, token) {
      if (token === undefined || !shape.test(token)) return false;
      const [nonce = '', mac = ''] = token.split('.');
      return timingSafeEqual(Buffer.from(mac), Buffer.from(sign(session, nonce)));
    },
  };
}
