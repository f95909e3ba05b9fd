const hidden =
  /^(brief|text|content|prompt|message_text|messages|args|arguments|result|results|stdout|stderr|file|files|filename|attachments?|path|question|answer|reason|task|role|error_text|metadata|body|data|email|ip|user_agent)$|password|passwd|secret|token$|authorization|cookie|api_?key|private_?key|data_?key|credential|plaintext/i;

const longest = 300;

/** The fields without anything that may be content, personal or secret: such names are blanked at any depth, bytes become their length, long strings are cut. */
export function redact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, hidden.test(name) ? '[redacted]' : plain(value, 0)]),
  );
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > longest ? `${value.slice(0, longest)}…` : value;
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > 5) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 50).map((one) => plain(one, depth + 1));
  if ('toJSON' in value) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, hidden.test(name) ? '[redacted]' : plain(one, depth + 1)]),
  );
}
