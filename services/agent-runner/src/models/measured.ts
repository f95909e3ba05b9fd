/** Model calls as figures, named as OpenTelemetry's conventions for generative models name them; no content, only models, providers and codes. */
import { cost, ModelFailure } from '@loom/models';
import type { ModelInfo, ModelPort, ModelReply, Provider, Usage } from '@loom/models';
import { metrics } from '@loom/service';

const durations = metrics.histogram(
  'gen_ai.client.operation.duration_seconds',
  'How long a model call took; error.type says how it failed.',
  [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
);
const tokens = metrics.histogram(
  'gen_ai.client.token.usage',
  'Tokens of a model call, by type.',
  [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
);
const costs = metrics.counter(
  'loom.model.cost_micros',
  'What model calls cost, micro-USD, at the price of this installation.',
);

/** The ports, each call of which is measured. */
export function measured(
  ports: ReadonlyMap<Provider, ModelPort>,
  models: readonly ModelInfo[],
): ReadonlyMap<Provider, ModelPort> {
  return new Map([...ports].map(([provider, port]) => [provider, measuredPort(port, models)]));
}

function measuredPort(port: ModelPort, models: readonly ModelInfo[]): ModelPort {
  return {
    provider: port.provider,
    body: (request) => port.body(request),
    async call(request, options) {
      const about = attributesOf(port.provider, request.model);
      const price = models.find(({ id }) => id === request.model)?.price;
      const paid = (usage: Usage): void => spend(usage, about, price === undefined ? 0 : cost(price, usage));
      const began = performance.now();
      const seconds = (): number => (performance.now() - began) / 1000;
      try {
        const reply = await port.call(request, options);
        durations.record(seconds(), { ...about, ...resolved(reply) });
        paid(reply.usage);
        return reply;
      } catch (cause) {
        durations.record(seconds(), { ...about, 'error.type': errorType(cause) });
        if (cause instanceof ModelFailure && cause.detail.usage !== null) paid(cause.detail.usage);
        throw cause;
      }
    },
  };
}

const attributesOf = (provider: Provider, model: string): Record<string, string> => ({
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': provider,
  'gen_ai.request.model': model,
});

const resolved = ({ model }: ModelReply): Record<string, string> => ({ 'gen_ai.response.model': model });

const errorType = (cause: unknown): string => (cause instanceof ModelFailure ? cause.detail.code : 'internal');

function spend({ input, output }: Usage, about: Record<string, string>, micros: number): void {
  tokens.record(input, { ...about, 'gen_ai.token.type': 'input' });
  tokens.record(output, { ...about, 'gen_ai.token.type': 'output' });
  costs.add(micros, about);
}
