import { createHash } from 'node:crypto';

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

/** What the API reference may load: its own style, by hash, and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

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
