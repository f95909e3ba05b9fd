import type { Multipart, MultipartFile } from '@fastify/multipart';
import { LoomError } from '@loom/service';
import type { FastifyRequest } from 'fastify';
import { mediaType } from './domain/attachments.ts';
import type { Upload } from './domain/attachments.ts';
import { attachmentBytes, attachmentCount, briefBytes } from './domain/limits.ts';
import { tooLarge } from './submission.ts';

/** A form as the JSON body it stands for (not validated yet), and its files. */
export interface Form {
  readonly body: Record<string, unknown>;
  readonly uploads: readonly Upload[];
}

/** A form over its limits is read to its end all the same, up to this many bytes, so that its sender sees the answer and no reset. */
const patience = 4 * attachmentBytes;

/** Reads parts `brief`, `engagement`, `budget_micros`, `models`, `metadata` (the last two JSON) and any number of `file`. @throws LoomError */
export async function readForm(request: FastifyRequest): Promise<Form> {
  const reader = new FormReader();
  const limits = { fileSize: attachmentBytes + 1, fieldSize: briefBytes + 1, parts: attachmentCount + 50 };
  try {
    for await (const part of request.parts({ limits })) await reader.take(part);
  } catch (cause) {
    throw unreadable(cause);
  }
  return reader.done();
}

/** The parser's own errors have no status: whatever it cannot read is the sender's fault. */
function unreadable(cause: unknown): unknown {
  const told = cause instanceof LoomError || (cause as { statusCode?: unknown }).statusCode !== undefined;
  return told ? cause : new LoomError('bad_request', undefined, { cause });
}

const escapes: Readonly<Record<string, string>> = { '%22': '"', '%0D': '\r', '%0A': '\n' };

/** Browsers and fetch send quotes and line ends of a file's name so (HTML, multipart/form-data encoding), and nothing else. */
const unescaped = (name: string): string =>
  name.replaceAll(/%(22|0D|0A)/gi, (code) => escapes[code.toUpperCase()] ?? code);

class FormReader {
  readonly #body: Record<string, unknown> = {};
  readonly #uploads: Upload[] = [];
  #bytes = 0;
  #fault: LoomError | null = null;

  async take(part: Multipart): Promise<void> {
    if (part.type === 'field') return this.#field(part.fieldname, String(part.value), part.valueTruncated);
    const content = await this.#read(part);
    if (part.fieldname === 'brief') return this.#field('brief', content.toString('utf8'), false);
    if (part.fieldname !== 'file') return this.#refuse(unknown(part.fieldname));
    const name = unescaped(part.filename);
    this.#uploads.push({ name, mediaType: mediaType(part.mimetype, name), content });
  }

  done(): Form {
    if (this.#fault !== null) throw this.#fault;
    return { body: this.#body, uploads: this.#uploads };
  }

  /** The first fault is the one told. */
  #refuse(fault: LoomError): void {
    this.#fault ??= fault;
  }

  async #read(part: MultipartFile): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      this.#bytes += chunk.length;
      if (this.#bytes > patience) throw tooLarge(part.fieldname);
      if (this.#bytes > attachmentBytes) this.#refuse(tooLarge(part.fieldname));
      if (this.#fault === null) chunks.push(chunk);
    }
    return Buffer.concat(this.#fault === null ? chunks : []);
  }

  #field(name: string, value: string, truncated: boolean): void {
    if (truncated)
      return this.#refuse(
        new LoomError(name === 'brief' ? 'brief_too_large' : 'validation_failed', 'is too long', { field: name }),
      );
    if (name in this.#body) return this.#refuse(new LoomError('validation_failed', 'must come once', { field: name }));
    try {
      this.#body[name] = fieldValue(name, value);
    } catch (cause) {
      this.#refuse(
        cause instanceof LoomError ? cause : new LoomError('validation_failed', 'must be JSON', { cause, field: name }),
      );
    }
  }
}

const unknown = (field: string): LoomError => new LoomError('validation_failed', 'is not known', { field });

function fieldValue(name: string, value: string): unknown {
  switch (name) {
    case 'brief':
    case 'engagement':
      return value;
    case 'budget_micros':
      return /^\d{1,15}$/.test(value) ? Number(value) : value;
    case 'models':
    case 'metadata':
      return JSON.parse(value) as unknown;
    default:
      throw unknown(name);
  }
}
