/** Where the page is: the address, and how to go elsewhere without leaving it. */
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react';

export type Route =
  | { readonly view: 'home' }
  | { readonly view: 'usage' }
  | { readonly view: 'job'; readonly id: string }
  | { readonly view: 'nowhere' };

export function routeOf(path: string): Route {
  if (path === '/') return { view: 'home' };
  if (path === '/usage') return { view: 'usage' };
  const id = /^\/jobs\/([\w-]+)$/.exec(path)?.[1];
  return id === undefined ? { view: 'nowhere' } : { view: 'job', id };
}

const moved = 'loom:moved';

export function go(path: string): void {
  if (path === location.pathname) return;
  history.pushState(null, '', path);
  dispatchEvent(new Event(moved));
}

function subscribe(watcher: () => void): () => void {
  for (const name of ['popstate', moved]) addEventListener(name, watcher);
  return () => {
    for (const name of ['popstate', moved]) removeEventListener(name, watcher);
  };
}

export const useRoute = (): Route => routeOf(useSyncExternalStore(subscribe, () => location.pathname));

/** A link within the page; with a modifier key it is any link. */
export function Link({ href, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { readonly href: string }) {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    go(href);
  };
  return <a href={href} onClick={follow} {...rest} />;
}
