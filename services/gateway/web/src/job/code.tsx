/** Most characters that are laid out at once. */
const most = 20_000;

interface Program {
  readonly code: string;
  readonly rest: string;
}

/** Arguments as people read them: a program as a program, the rest as JSON. */
function readable(text: string): Program {
  try {
    const args: unknown = JSON.parse(text);
    if (typeof args !== 'object' || args === null || !('code' in args) || typeof args.code !== 'string')
      return { code: '', rest: JSON.stringify(args, null, 2) };
    const { code, ...rest } = args;
    return { code, rest: JSON.stringify(rest) };
  } catch {
    return { code: '', rest: text };
  }
}

/** Text as it is, in a box that scrolls. */
export function Code({ text, json = false }: { readonly text: string; readonly json?: boolean }) {
  const { code, rest } = json ? readable(text) : { code: '', rest: text };
  return (
    <>
      {code !== '' && <Box text={code} />}
      <Box text={rest} />
    </>
  );
}

function Box({ text }: { readonly text: string }) {
  return (
    <pre className="code" tabIndex={0}>
      {text.slice(0, most)}
      {text.length > most && `\n… ${text.length - most} more characters`}
    </pre>
  );
}
