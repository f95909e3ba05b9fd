/**
 * Owns who is signed in, as a source of session tokens: the local link's token, kept for this tab, or Clerk's.
 * No cookie is set here, and a token never stays in the address.
 */

export interface Session {
  /** Of a local link: when its token is refused, a new link is needed. */
  readonly local: boolean;
  /** A token that is good now, or null when there is none any more. */
  token(): Promise<string | null>;
  signOut(): Promise<void>;
}

const place = 'loom.token';

/** The publishable key of Clerk that the gateway wrote into the page; '' where a local issuer signs. */
export const clerkKey = (): string => document.querySelector<HTMLMetaElement>('meta[name="loom-clerk"]')?.content ?? '';

/** Takes the token out of a sign-in link (`/#token=…`) and cleans the address; false when there is none in it. */
export function takeLinkedToken(): boolean {
  const token = /^#token=([\w-]+\.[\w-]+\.[\w-]+)$/.exec(location.hash)?.[1];
  if (token === undefined) return false;
  sessionStorage.setItem(place, token);
  history.replaceState(null, '', location.pathname + location.search);
  return true;
}

/** When a token ends, Unix ms; 0 for what is no token. */
function endOf(token: string): number {
  try {
    const body = token.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(atob(body.replaceAll('-', '+').replaceAll('_', '/')));
    return Number((claims as { exp?: unknown }).exp ?? 0) * 1_000;
  } catch {
    return 0;
  }
}

/** The session of a local link, or null when there is none or it ended. */
export function localSession(): Session | null {
  const read = (): string | null => {
    const token = sessionStorage.getItem(place);
    return token !== null && endOf(token) > Date.now() ? token : null;
  };
  if (read() === null) return null;
  return {
    local: true,
    token: async () => read(),
    async signOut() {
      sessionStorage.removeItem(place);
    },
  };
}
