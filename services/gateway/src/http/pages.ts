/** The parts of an OpenAPI description that the page shows. */
interface Described {
  readonly info?: { readonly title: string; readonly version: string };
  readonly paths?: Readonly<Record<string, unknown>>;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly responses?: Readonly<Record<string, unknown>>;
}

const style = `
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem }
  code, pre { font: 14px/1.4 ui-monospace, monospace }
  pre { overflow: auto; padding: 1rem; border: 1px solid #8884; border-radius: 6px; max-height: 24rem }
  h2 { margin: 2.5rem 0 .5rem; font-size: 1.1rem }
  .method { display: inline-block; min-width: 4.5rem; font-weight: 700 }`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const html = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style><body>${body}</body></html>`;

/** Says where things are until there is a page to work with. */
export const homePage = (): string =>
  html(
    'Loom',
    `<h1>Loom</h1><p>This is the gateway of Loom, which turns a brief into a swarm of agents into files.</p>
    <p>The <a href="/docs">API reference</a> stands here, its <a href="/openapi.json">OpenAPI description</a> too. Calls take a session token:
    <code>Authorization: Bearer …</code>; <code>./loom token</code> prints one of this machine.</p>`,
  );

/** The API reference as one page without scripts. */
export function docsPage(document: Described): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => section(method, path, operation)),
  );
  return html(
    `${document.info?.title ?? 'Loom'} API`,
    `<h1>${escaped(document.info?.title ?? 'Loom')} API</h1>${operations.join('')}`,
  );
}

function section(method: string, path: string, operation: Operation): string {
  const { summary = '', description = '', parameters, requestBody, responses = {} } = operation;
  const details = [
    ['Parameters', parameters],
    ['Body', requestBody],
    ['Answers', responses],
  ].flatMap(([title, part]) =>
    part === undefined
      ? []
      : [`<details><summary>${String(title)}</summary><pre>${escaped(JSON.stringify(part, null, 2))}</pre></details>`],
  );
  return `<h2><span class="method">${escaped(method.toUpperCase())}</span> <code>${escaped(path)}</code></h2>
    <p>${escaped(summary)}. ${escaped(description)}</p>${details.join('')}`;
}
