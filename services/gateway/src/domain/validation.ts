/** What a JSON Schema validator says of one fault; only these parts are read, and none holds the value. */
export interface Fault {
  readonly keyword?: string;
  readonly instancePath?: string;
  readonly message?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

const first = (names: unknown): string | undefined =>
  Array.isArray(names) ? (names[0] as string | undefined) : undefined;

/** The field at fault, written as in `attachments[0].name`; '' for the body as a whole. */
export function fieldOf(fault: Fault): string {
  const steps = (fault.instancePath ?? '').split('/').slice(1).map(unescape);
  const inner = first(fault.params?.['additionalProperties']) ?? first(fault.params?.['requiredProperties']);
  return [...steps, ...(inner === undefined ? [] : [inner])].reduce(join, '');
}

const unescape = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

function join(path: string, step: string): string {
  if (/^\d+$/.test(step)) return `${path}[${step}]`;
  return path === '' ? step : `${path}.${step}`;
}

/** The fault to tell: an unknown or missing field before the general ones that follow from it. */
export function worst(faults: readonly Fault[]): Fault {
  const named = faults.find(({ keyword }) => keyword === 'additionalProperties' || keyword === 'required');
  const deepest = faults.toSorted((a, b) => (b.instancePath ?? '').length - (a.instancePath ?? '').length)[0];
  return named ?? deepest ?? {};
}
