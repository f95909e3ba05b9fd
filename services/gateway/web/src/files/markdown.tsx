import { memo, type ReactNode } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';

interface Props {
  readonly text: string;
  /** How a picture of the text is shown; by default by its words, since nothing is loaded from elsewhere. */
  readonly picture?: (source: string, words: string) => ReactNode;
  /** What a link within the job does; undefined: it is shown as words. */
  readonly open?: (path: string) => void;
}

const isElsewhere = (address: string): boolean => /^https?:\/\//i.test(address);

/** Markdown as elements; raw HTML in it stays text, and no address but http(s) and paths of the job leads anywhere. */
export default memo(function Markdown({ text, picture, open }: Props) {
  const components: Components = {
    img: ({ src, alt = '' }) => picture?.(String(src ?? ''), alt) ?? <span className="quiet">[picture: {alt}]</span>,
    a: ({ href = '', children }) => <Anchor href={href} open={open} words={children} />,
    table: ({ children }) => (
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Table">
        <table>{children}</table>
      </div>
    ),
  };
  return (
    <div className="markdown">
      <ReactMarkdown remarkPlugins={[remarkGfm]} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  );
});

interface AnchorProps {
  readonly href: string;
  readonly open: Props['open'];
  readonly words: ReactNode;
}

function Anchor({ href, open, words }: AnchorProps) {
  if (isElsewhere(href))
    return (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {words}
      </a>
    );
  if (open === undefined || href === '' || href.startsWith('#')) return <span>{words}</span>;
  return (
    <button type="button" className="link" onClick={() => open(href)}>
      {words}
    </button>
  );
}
