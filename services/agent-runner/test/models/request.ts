import type { ModelRequest, Situation } from '@loom/models';

const situation: Situation = {
  kind: 'worker',
  agent: 'a1',
  role: 'analyst',
  task: 'count',
  brief: 'Count.',
  attachments: [],
  files: [],
  results: [],
  artifacts: [],
};

/** A request of a worker with two tools, at the beginning of its conversation. */
export const request = (): ModelRequest => ({
  model: 'some-model',
  system: 'You are a worker.',
  messages: [{ role: 'user', text: 'Count the rows.' }],
  tools: [
    {
      name: 'run_code',
      description: 'Run code.',
      parameters: {
        type: 'object',
        properties: { code: { type: 'string' } },
        required: ['code'],
        additionalProperties: false,
      },
    },
    {
      name: 'list_files',
      description: 'List files.',
      parameters: { type: 'object', properties: {}, additionalProperties: false },
    },
  ],
  maxTokens: 1000,
  situation,
});
