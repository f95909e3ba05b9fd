/** A fact with the very bytes that lie in the log, as `./loom replay --to DIR` keeps it. */
export interface StoredFact {
  /** JetStream stream. */
  readonly stream: string;
  readonly seq: number;
  /** Unix ms, the server's. */
  readonly time: number;
  readonly subject: string;
  /** Without NATS's own. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: Uint8Array;
}

const text = (name: string, doc: string): object => ({ name, type: 'string', doc });

export const rawSchema: object = {
  type: 'record',
  name: 'StoredFact',
  namespace: 'loom.log',
  doc: 'A fact as it lies in the log: its sum is in the header loom-sum, its body in Avro single-object encoding.',
  fields: [
    text('stream', 'JetStream stream.'),
    { name: 'seq', type: 'long', doc: 'Sequence there.' },
    { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: "The server's." },
    text('subject', 'Subject.'),
    {
      name: 'headers',
      type: {
        type: 'array',
        items: { type: 'record', name: 'Header', fields: [text('name', 'Name.'), text('value', 'Value.')] },
      },
      doc: "Without NATS's own (Nats-…).",
    },
    { name: 'body', type: 'bytes', doc: 'Stored body.' },
  ],
};
