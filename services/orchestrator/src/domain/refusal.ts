import { TOOLS, type Call } from '@loom/job';
import { draft, type Decision } from './draft.ts';

/** A tool call that policy does not let through: the refusal is its outcome, and the model is told the reason. A name that is no tool's may be content and is not put in the clear. */
export function refuseCall(call: Call, code: string, reason: string): Decision {
  const tool = call.name in TOOLS ? call.name : 'unknown';
  return draft('tool.refused', call.key, { agent: call.agent, step: call.step, call: call.index, tool, code, reason });
}
