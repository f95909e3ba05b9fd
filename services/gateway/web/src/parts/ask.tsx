import { useEffect, useRef, useState, type ReactNode } from 'react';
import { told } from '../api/client.ts';

interface Props {
  readonly label: string;
  readonly question: string;
  readonly children: ReactNode;
  readonly className: string;
  readonly act: () => Promise<unknown>;
}

/** A button that asks before it acts, and says what went wrong. */
export function Ask({ label, question, children, className, act }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className={className} onClick={() => setOpen(true)}>
        {label}
      </button>
      {open && (
        <Sure label={label} question={question} act={act} close={() => setOpen(false)}>
          {children}
        </Sure>
      )}
    </>
  );
}

type SureProps = Omit<Props, 'className'> & { readonly close: () => void };

function Sure({ label, question, children, act, close }: SureProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const run = (): void => {
    setBusy(true);
    act().then(close, (cause: unknown) => {
      setBusy(false);
      setTrouble(told(cause));
    });
  };
  return (
    <dialog ref={dialog} className="card" aria-labelledby="sure" onClose={close}>
      <h2 id="sure">{question}</h2>
      <p>{children}</p>
      {trouble !== '' && (
        <p className="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div className="row end">
        <button type="button" onClick={close}>
          Go back
        </button>
        <button type="button" className="danger" onClick={run} disabled={busy}>
          {label}
        </button>
      </div>
    </dialog>
  );
}
