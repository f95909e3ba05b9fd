/** Sign-in by Clerk, a chunk of its own: loaded only where the gateway names a publishable key. */
import { ClerkProvider, useAuth, useClerk } from '@clerk/react';
import { useEffect } from 'react';
import type { Session } from './session.ts';

interface Props {
  readonly clerkKey: string;
  readonly onSession: (session: Session | null) => void;
}

/** Hands on a session as soon as Clerk has one; until then sends the browser to Clerk's own sign-in page. */
function Watch({ onSession }: Pick<Props, 'onSession'>) {
  const { isLoaded, isSignedIn, getToken } = useAuth();
  const clerk = useClerk();
  useEffect(() => {
    if (!isLoaded) return;
    if (!isSignedIn) return void clerk.redirectToSignIn({ signInFallbackRedirectUrl: location.href });
    onSession({ local: false, token: () => getToken(), signOut: () => clerk.signOut({ redirectUrl: '/' }) });
  }, [isLoaded, isSignedIn, getToken, clerk, onSession]);
  return null;
}

export default function ClerkSession({ clerkKey, onSession }: Props) {
  return (
    <ClerkProvider publishableKey={clerkKey} telemetry={false}>
      <Watch onSession={onSession} />
    </ClerkProvider>
  );
}
