/** Debian's Chromium for tests of the page: it talks to loopback alone, and what it asked for is on record. */
import { findChromium } from '@loom/cli';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

/** Screenshots stay here after a run; not in git. */
const pictures = join(import.meta.dirname, '../../.loom/screenshots');

export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Addresses that were asked for outside of `origin`. */
  readonly elsewhere: readonly string[];
  /** Uncaught errors, and whatever the content security policy refused. */
  readonly troubles: readonly string[];
  picture(name: string): Promise<void>;
}

interface Options {
  readonly origin: string;
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

export async function browser({ origin, width = 1440, height = 900, dark = false }: Options): Promise<Browser> {
  const executablePath = await findChromium();
  const flags = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const running = await chromium.launch({
    executablePath,
    args: [...flags, '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', ...root],
  });
  const context = await running.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    serviceWorkers: 'block',
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await mkdir(pictures, { recursive: true });
  return {
    context,
    page,
    ...watched(page, origin),
    picture: async (name) => void (await page.screenshot({ path: join(pictures, `${name}.png`) })),
    [Symbol.asyncDispose]: () => running.close(),
  };
}

function watched(page: Page, origin: string): Pick<Browser, 'elsewhere' | 'troubles'> {
  const elsewhere: string[] = [];
  const troubles: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(blob|data):/.test(url)) elsewhere.push(url);
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (/content security policy|trusted type/i.test(message.text())) troubles.push(message.text());
  });
  return { elsewhere, troubles };
}
