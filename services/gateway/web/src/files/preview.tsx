import { useEffect, useState, type ReactNode } from 'react';
import type { JobView } from '../../../../../packages/job/src/pure.ts';
import { told } from '../api/client.ts';
import { artifact } from '../api/jobs.ts';
import { useShown } from '../job/job-context.ts';
import { bytes } from '../model/figures.ts';
import { useApi } from '../parts/contexts.ts';
import { Csv } from './csv.tsx';
import Markdown from './markdown.tsx';

type File = JobView['artifacts'][number];

interface Props {
  readonly file: File;
  readonly open: (path: string) => void;
}

/** Largest file that is shown; larger ones are for download. */
const mostBytes = 8_000_000;
const pictures = /\.(png|jpe?g|gif|webp|avif)$/i;
const tables = /\.(csv|tsv)$/i;

/** A file by its kind: Markdown, a picture, a table, else text. SVG and HTML are shown as text, never run. */
export function Preview({ file, open }: Props): ReactNode {
  if (file.size > mostBytes) return <p className="quiet pad">{bytes(file.size)} are too much to show here.</p>;
  if (pictures.test(file.path)) return <Picture path={file.path} words={file.path} />;
  return <Text file={file} open={open} />;
}

function useContent<T>(path: string, read: (blob: Blob) => Promise<T> | T) {
  const api = useApi();
  const { view } = useShown();
  const [state, setState] = useState<{ readonly content?: T; readonly trouble?: string }>({});
  useEffect(() => {
    const abort = new AbortController();
    artifact(api, view.id, path, abort.signal)
      .then(read)
      .then(
        (content) => abort.signal.aborted || setState({ content }),
        (cause: unknown) => abort.signal.aborted || setState({ trouble: told(cause) }),
      );
    return () => abort.abort();
  }, [api, view.id, path]);
  return state;
}

const textOf = (blob: Blob): Promise<string> => blob.text();
const addressOf = (blob: Blob): string => URL.createObjectURL(blob);

function Picture({ path, words }: { readonly path: string; readonly words: string }) {
  const { content, trouble } = useContent(path, addressOf);
  useEffect(() => () => void (content === undefined || URL.revokeObjectURL(content)), [content]);
  if (trouble !== undefined) return <p className="trouble">{trouble}</p>;
  return content === undefined ? <p className="quiet">Loading …</p> : <img src={content} alt={words} />;
}

function Text({ file, open }: Props) {
  const { content, trouble } = useContent(file.path, textOf);
  if (trouble !== undefined) return <p className="trouble pad">{trouble}</p>;
  if (content === undefined) return <p className="quiet pad">Loading …</p>;
  if (tables.test(file.path)) return <Csv text={content} />;
  if (!file.path.endsWith('.md'))
    return (
      <pre className="code whole" tabIndex={0}>
        {content.slice(0, 200_000)}
      </pre>
    );
  return <Report file={file} text={content} open={open} />;
}

/** Markdown whose pictures and links are files of the same job. */
function Report({ file, text, open }: Props & { readonly text: string }) {
  const { view } = useShown();
  const within = (link: string): string | undefined => {
    const path = resolved(file.path, link);
    return view.artifacts.find((one) => one.path === path)?.path;
  };
  const picture = (source: string, words: string): ReactNode => {
    const path = within(source);
    return path === undefined ? (
      <span className="quiet">[picture: {words}]</span>
    ) : (
      <Picture path={path} words={words} />
    );
  };
  const follow = (link: string): void => {
    const path = within(link);
    if (path !== undefined) open(path);
  };
  return <Markdown text={text} picture={picture} open={follow} />;
}

/** A link of a file as a path of the job. */
function resolved(from: string, link: string): string {
  try {
    return decodeURIComponent(new URL(link, `http://job/${from}`).pathname.slice(1));
  } catch {
    return '';
  }
}
