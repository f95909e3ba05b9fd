/** What the tests read of answers; the API's own schemas are in src/routes/schemas.ts. */
export interface Job {
  readonly id: string;
  readonly status: string;
  readonly brief: string;
  readonly created_at: string;
  readonly budget_micros: number;
  readonly last_seq: number;
  readonly follows?: string;
  readonly links: Readonly<Record<string, string>>;
  readonly pending: readonly { readonly kind: string; readonly id: string; readonly question: string }[];
  readonly artifacts: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

export interface Problem {
  readonly type: string;
  readonly status: number;
  readonly code: string;
  readonly field?: string;
  readonly detail: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export const body = async <T>(response: Response): Promise<T> => (await response.json()) as T;

/** Status, code and field of an answer that must be problem+json. */
export async function problem(response: Response): Promise<[number, string, string | undefined]> {
  const type = response.headers.get('content-type');
  const text = await response.text();
  if (type !== 'application/problem+json') throw new Error(`${response.status} ${type}: ${text.slice(0, 200)}`);
  const { status, code, field } = JSON.parse(text) as Problem;
  if (status !== response.status) throw new Error(`the body says ${status}, the line ${response.status}`);
  return [status, code, field];
}
