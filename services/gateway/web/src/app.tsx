import { lazy, Suspense, useMemo, useState } from 'react';
import { apiOf } from './api/client.ts';
import { clerkKey, localSession, type Session } from './api/session.ts';
import { Composer } from './composer/composer.tsx';
import { JobPage } from './job/job-page.tsx';
import { JobsProvider } from './list/jobs-store.tsx';
import { Sidebar } from './list/sidebar.tsx';
import { ApiContext, SignOutContext } from './parts/contexts.ts';
import { Mark } from './parts/icons.tsx';
import { Announcer } from './parts/announcer.tsx';
import { Link, useRoute } from './route.tsx';

const ClerkSession = lazy(() => import('./api/clerk.tsx'));
const UsagePage = lazy(() => import('./usage/usage-page.tsx'));

/** Who is signed in sees the workplace, who is not is told how to get in. */
export function App() {
  const [session, setSession] = useState<Session | null>(localSession);
  const leave = (): void => {
    void session?.signOut().finally(() => setSession(null));
  };
  const lost = (): void => void (session?.local && leave());
  if (session !== null) return <Workplace session={session} leave={leave} lost={lost} />;
  const key = clerkKey();
  if (key === '') return <SignIn />;
  return (
    <Suspense fallback={null}>
      <ClerkSession clerkKey={key} onSession={setSession} />
      <p className="sign-in quiet" role="status">
        Going to sign-in …
      </p>
    </Suspense>
  );
}

function SignIn() {
  return (
    <main className="sign-in">
      <Mark size={44} />
      <h1>Loom</h1>
      <p>A brief becomes a swarm of agents becomes files.</p>
      <div className="card">
        <h2>Sign in</h2>
        <p>
          Open the sign-in link that <code>./loom up</code> printed. It looks like this:
        </p>
        <pre>{`${location.origin}/#token=…`}</pre>
        <p className="quiet">
          The link lasts 12 hours. <code>./loom token</code> prints a fresh token to put behind <code>#token=</code>.
        </p>
      </div>
    </main>
  );
}

interface WorkplaceProps {
  readonly session: Session;
  readonly leave: () => void;
  readonly lost: () => void;
}

function Workplace({ session, leave, lost }: WorkplaceProps) {
  const api = useMemo(() => apiOf(session, lost), [session]);
  const route = useRoute();
  return (
    <ApiContext value={api}>
      <SignOutContext value={leave}>
        <Announcer>
          <JobsProvider>
            <a className="skip" href="#main">
              Skip to content
            </a>
            <div className="shell" data-view={route.view}>
              <Sidebar route={route} />
              <main id="main" tabIndex={-1}>
                <View route={route} />
              </main>
            </div>
          </JobsProvider>
        </Announcer>
      </SignOutContext>
    </ApiContext>
  );
}

function View({ route }: { readonly route: ReturnType<typeof useRoute> }) {
  switch (route.view) {
    case 'home':
      return <Composer />;
    case 'job':
      return <JobPage key={route.id} id={route.id} />;
    case 'usage':
      return (
        <Suspense fallback={<p className="quiet pad">Loading …</p>}>
          <UsagePage />
        </Suspense>
      );
    case 'nowhere':
      return (
        <div className="pad">
          <h1>Nothing is here</h1>
          <Link href="/">Write a brief</Link>
        </div>
      );
  }
}
