import type { Message, Situation } from '@loom/models';
import { HONEST } from './findings.ts';
import { type Reply, call } from './reply.ts';
import { report } from './report.ts';

const PATH = 'final/report.md';

/** Writes the report, then says that it did, or why it could not. */
export function write(messages: readonly Message[], situation: Situation): Reply {
  const last = messages
    .flatMap((message) => (message.role === 'tool' ? message.results : []))
    .findLast(({ name }) => name === 'write_artifact');
  if (!last)
    return {
      text: `${HONEST} Writing the report from what the analysts found.`,
      calls: [call('report', 'write_artifact', { path: PATH, content: report(situation) })],
    };
  if (last.failed) return { text: `${HONEST} The report could not be written: ${last.text.slice(0, 300)}`, calls: [] };
  const lost = situation.results.filter(({ outcome }) => outcome !== 'done').length;
  return {
    text: `${HONEST} The report is in ${PATH}; charts lie beside it.${lost > 0 ? ` ${lost} of ${situation.results.length} agents did not finish; the report names them.` : ''}`,
    calls: [],
  };
}
