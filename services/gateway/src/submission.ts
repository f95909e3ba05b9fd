import { LoomError } from '@loom/service';
import { nameFault } from './domain/attachments.ts';
import type { Upload } from './domain/attachments.ts';
import { attachmentBytes, attachmentCount, briefBytes } from './domain/limits.ts';
import type { Submission } from './routes/schemas.ts';

/** A submission that passed every check; nothing of it is stored yet. */
export interface Checked {
  readonly brief: string;
  readonly uploads: readonly Upload[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly engagement: string;
  readonly budgetMicros: number | null;
  readonly models: Readonly<Record<string, string>>;
  readonly follows: string | null;
  readonly fork: ForkPoint | null;
}

/** Where a fork begins, how it runs, and the limits that it is to keep below its parent's. */
export interface ForkPoint {
  readonly forkedFrom: string;
  readonly fromSeq: number;
  readonly mode: 'reexecute' | 'playback';
  readonly tightened: Readonly<Record<string, number>>;
}

/** The text as the log will hold it: half a surrogate pair has no UTF-8. @throws LoomError `brief_too_large`, `validation_failed` */
export function checkText(field: string, value: string): string {
  if (Buffer.byteLength(value) > briefBytes) {
    throw new LoomError('brief_too_large', `must have at most ${briefBytes} bytes of UTF-8`, { field });
  }
  if (value.trim() === '') throw new LoomError('validation_failed', 'must not be blank', { field });
  return value.toWellFormed();
}

/** @throws LoomError `brief_too_large`, `attachment_too_large`, `too_many_attachments`, `validation_failed` */
export function check(body: Submission, uploads: readonly Upload[], field: (index: number) => string): Checked {
  const brief = checkText('brief', body.brief);
  checkUploads(uploads, field);
  return {
    brief,
    uploads: uploads.map((upload) => ({ ...upload, name: upload.name.toWellFormed() })),
    metadata: wellFormed(body.metadata ?? {}),
    engagement: body.engagement ?? 'default',
    budgetMicros: body.budget_micros ?? null,
    models: { ...body.models },
    follows: null,
    fork: null,
  };
}

const wellFormed = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map((label) => label.map((text) => text.toWellFormed())));

function checkUploads(uploads: readonly Upload[], field: (index: number) => string): void {
  if (uploads.length > attachmentCount) {
    throw new LoomError('too_many_attachments', `must be at most ${attachmentCount}`, { field: 'attachments' });
  }
  const names = new Set<string>();
  let bytes = 0;
  for (const [index, { name, content }] of uploads.entries()) {
    const fault = nameFault(name, names);
    if (fault !== null) throw new LoomError('validation_failed', fault, { field: `${field(index)}.name` });
    names.add(name);
    bytes += content.length;
    if (bytes > attachmentBytes) throw tooLarge(field(index));
  }
}

/** The error of a file that takes the call over the cap. */
export const tooLarge = (field: string): LoomError =>
  new LoomError('attachment_too_large', `all attachments together must have at most ${attachmentBytes} bytes`, {
    field,
  });

/** The attachments of a JSON body. @throws LoomError `validation_failed` for what is not base64 */
export function decoded(body: Submission): Upload[] {
  return (body.attachments ?? []).map(({ name, media_type: mediaType, content_base64: base64 }, index) => {
    const content = Buffer.from(base64, 'base64');
    const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
    if (base64.length % 4 === 0 && content.length === (base64.length / 4) * 3 - padding)
      return { name, mediaType, content };
    throw new LoomError('validation_failed', 'must be base64', { field: `attachments[${index}].content_base64` });
  });
}
