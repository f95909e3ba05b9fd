/** The page where Clerk signs people in: its chunk is loaded, and asks Clerk's own host and nobody else. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { world } from '../../../services/gateway/test/support/world.ts';
import { browser } from '../browser.ts';

test('with a publishable key the page hands sign-in to Clerk, from the host that the key names alone', async () => {
  const key = `pk_live_${Buffer.from('clerk.loom.test$').toString('base64')}`;
  await using gateway = await world({ LOOM_CLERK_PUBLISHABLE_KEY: key });
  await using seen = await browser({ origin: gateway.url });
  const asked = seen.page.waitForRequest(/^https:\/\/clerk\.loom\.test\//);
  await seen.page.goto(gateway.url);
  assert.match((await asked).url(), /clerk-js/);
  await seen.page.getByText('Going to sign-in').waitFor();
  assert.equal(
    seen.elsewhere.filter((url) => new URL(url).host !== 'clerk.loom.test'),
    [],
  );
  assert.equal(
    seen.troubles.filter((text) => /content security policy|trusted type/i.test(text)),
    [],
  );
});

test.run();
