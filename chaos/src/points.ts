/** The named places at which a service can be made to die, by the boundaries of a consumer's step. */

/**
 * B1 received, before any work. B2 the work is done, nothing of it is stored. B3 it is stored, nothing is said of it.
 * B4 all is said, the message is not acked. B5 it is acked.
 */
export type Boundary = 'B1' | 'B2' | 'B3' | 'B4' | 'B5';

type Points = Readonly<Record<Boundary, string>>;

const projection = (service: string): Points => ({
  B1: `${service}.received`,
  B2: `${service}.applied`,
  B3: `${service}.committed`,
  B4: `${service}.handled`,
  B5: `${service}.acked`,
});

/** Where each service dies at each boundary. The gateway stores by its routes what it projects as a consumer. */
export const points: Readonly<Record<string, Points>> = {
  gateway: { ...projection('gateway'), B2: 'gateway.appending', B3: 'gateway.appended' },
  orchestrator: { ...projection('orchestrator'), B2: 'orchestrator.deciding', B3: 'orchestrator.decided' },
  'agent-runner': { ...projection('agent-runner'), B2: 'agent-runner.called', B3: 'agent-runner.appended' },
  sandbox: { ...projection('sandbox'), B2: 'sandbox.ran', B3: 'sandbox.appended' },
  billing: projection('billing'),
  audit: projection('audit'),
  retention: projection('retention'),
  evals: projection('evals'),
};

export const boundaries: readonly Boundary[] = ['B1', 'B2', 'B3', 'B4', 'B5'];
