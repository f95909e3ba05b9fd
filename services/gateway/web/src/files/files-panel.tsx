import { useState } from 'react';
import { told } from '../api/client.ts';
import { downloadAll, downloadArtifact } from '../api/jobs.ts';
import { useShown } from '../job/job-context.ts';
import { bytes } from '../model/figures.ts';
import { useApi } from '../parts/contexts.ts';
import { Icon } from '../parts/icons.tsx';
import { Preview } from './preview.tsx';

/** The files of the job: each can be looked at and downloaded, all of them as a ZIP. */
export default function FilesPanel() {
  const { view } = useShown();
  const [chosen, setChosen] = useState<string | null>(null);
  const files = view.artifacts;
  const shown = files.find(({ path }) => path === chosen) ?? files.find(({ path }) => path.endsWith('.md')) ?? files[0];
  if (shown === undefined) return <p className="quiet pad">Files that the agents hand over will stand here.</p>;
  return (
    <div className="files">
      <div className="file-list">
        <ul aria-label="Files">
          {files.map(({ path, size }) => (
            <li key={path}>
              <button
                type="button"
                className="file-row"
                aria-current={path === shown.path || undefined}
                onClick={() => setChosen(path)}
              >
                <Icon name="file" />
                <span className="name">{path.replace(/^final\//, '')}</span>
                <span className="quiet">{bytes(size)}</span>
              </button>
            </li>
          ))}
        </ul>
        <Save label="Download all (ZIP)" act="all" />
        <Attached />
      </div>
      <section className="preview" aria-label={`Preview of ${shown.path}`}>
        <div className="row preview-head">
          <h2 className="mono">{shown.path}</h2>
          <Save label="Download" act={shown.path} />
        </div>
        <Preview key={`${shown.path} ${shown.sha256}`} file={shown} open={setChosen} />
      </section>
    </div>
  );
}

/** What came with the brief; it is not handed back, but named. */
function Attached() {
  const { job } = useShown();
  const files = job.submitted?.attachments ?? [];
  if (files.length === 0) return null;
  return (
    <div className="attached quiet">
      <h3>Came with the brief</h3>
      <ul>
        {files.map(({ name, size }) => (
          <li key={name}>
            {name} <span>{bytes(size)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Save({ label, act }: { readonly label: string; readonly act: string }) {
  const api = useApi();
  const { view } = useShown();
  const [state, setState] = useState({ busy: false, trouble: '' });
  const save = (): void => {
    setState({ busy: true, trouble: '' });
    (act === 'all' ? downloadAll(api, view.id) : downloadArtifact(api, view.id, act)).then(
      () => setState({ busy: false, trouble: '' }),
      (cause: unknown) => setState({ busy: false, trouble: told(cause) }),
    );
  };
  return (
    <>
      <button type="button" onClick={save} disabled={state.busy}>
        <Icon name="down" />
        {label}
      </button>
      {state.trouble !== '' && (
        <span className="trouble" role="alert">
          {state.trouble}
        </span>
      )}
    </>
  );
}
