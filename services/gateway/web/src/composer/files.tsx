import { useRef, useState, type ChangeEvent, type DragEvent } from 'react';
import { bytes } from '../model/figures.ts';
import { Icon } from '../parts/icons.tsx';

/** Handlers for a place that files can be dropped on, and whether some are held over it. */
export function useDrop(add: (files: readonly File[]) => void) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const enter = (by: number): void => {
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  const handlers = {
    onDragEnter: () => enter(1),
    onDragLeave: () => enter(-1),
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      depth.current = 0;
      setOver(false);
      add([...event.dataTransfer.files]);
    },
  };
  return { over, handlers };
}

export function AddFiles({ add }: { readonly add: (files: readonly File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const take = (event: ChangeEvent<HTMLInputElement>): void => {
    add([...(event.target.files ?? [])]);
    event.target.value = '';
  };
  return (
    <>
      <input ref={input} type="file" multiple hidden aria-label="Files" onChange={take} />
      <button type="button" className="ghost" onClick={() => input.current?.click()}>
        <Icon name="clip" />
        Add files
      </button>
    </>
  );
}

interface ChipsProps {
  readonly files: readonly File[];
  readonly remove: (name: string) => void;
}

export function FileChips({ files, remove }: ChipsProps) {
  if (files.length === 0) return null;
  return (
    <ul className="chips" aria-label="Files that go with the brief">
      {files.map(({ name, size }) => (
        <li key={name} className="chip">
          <Icon name="file" />
          <span className="name">{name}</span>
          <span className="quiet">{bytes(size)}</span>
          <button
            type="button"
            className="icon-button small"
            aria-label={`Remove ${name}`}
            onClick={() => remove(name)}
          >
            <Icon name="close" size={12} />
          </button>
        </li>
      ))}
    </ul>
  );
}
