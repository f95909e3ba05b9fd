import { LoomError } from './errors.ts';
import { Secret } from './secret.ts';

/** The environment as `process.env` has it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** One setting: the variable it is read from, how, and what it is when the variable is absent or empty. */
export interface Setting<T> {
  readonly name: string;
  readonly parse: (raw: string) => T;
  readonly fallback?: { readonly value: T };
}

type Schema = Readonly<Record<string, Setting<unknown>>>;
export type Settings<S extends Schema> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

const make = <T>(name: string, parse: (raw: string) => T, fallback: readonly T[]): Setting<T> =>
  fallback.length === 0 ? { name, parse } : { name, parse, fallback: { value: fallback[0] as T } };

const whole = (raw: string, min: number, max: number): number => {
  const value = Number(raw);
  if (!/^-?\d+$/.test(raw) || value < min || value > max) throw new Error(`a whole number from ${min} to ${max}`);
  return value;
};

const address = (raw: string): string => {
  if (!URL.canParse(raw)) throw new Error('a URL');
  return raw;
};

const flagOf = (raw: string): boolean => {
  if (raw !== '0' && raw !== '1' && raw !== 'true' && raw !== 'false') throw new Error('one of 0, 1, true, false');
  return raw === '1' || raw === 'true';
};

const listOf = (raw: string): readonly string[] =>
  raw
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Kinds of settings. A last argument is the fall-back; without one the variable must be set. */
export const setting = {
  text: (name: string, ...fallback: readonly string[]): Setting<string> => make(name, (raw) => raw, fallback),
  /** Not printed by anything; `.reveal()` where it is used. */
  secret: (name: string, ...fallback: readonly string[]): Setting<Secret> =>
    make(
      name,
      (raw) => new Secret(raw),
      fallback.map((value) => new Secret(value)),
    ),
  /** Absent is null. */
  optional: (name: string): Setting<string | null> => make<string | null>(name, (raw) => raw, [null]),
  /** Absent is null. */
  optionalSecret: (name: string): Setting<Secret | null> => make<Secret | null>(name, (raw) => new Secret(raw), [null]),
  integer: (name: string, range: { min: number; max: number }, ...fallback: readonly number[]): Setting<number> =>
    make(name, (raw) => whole(raw, range.min, range.max), fallback),
  /** 0 takes a free port. */
  port: (name: string, ...fallback: readonly number[]): Setting<number> =>
    make(name, (raw) => whole(raw, 0, 65_535), fallback),
  url: (name: string, ...fallback: readonly string[]): Setting<string> => make(name, address, fallback),
  flag: (name: string, ...fallback: readonly boolean[]): Setting<boolean> => make(name, flagOf, fallback),
  /** Comma-separated. */
  list: (name: string, ...fallback: readonly (readonly string[])[]): Setting<readonly string[]> =>
    make(name, listOf, fallback),
} as const;

/** What every service needs to reach the log and to be looked after. */
export const logSettings = (service: string) =>
  ({
    natsUrl: setting.text('LOOM_NATS_URL'),
    natsUser: setting.text('LOOM_NATS_USER', service),
    natsPassword: setting.secret('LOOM_NATS_PASSWORD'),
    streams: setting.integer('LOOM_STREAMS', { min: 1, max: 64 }, 4),
    healthPort: setting.port('LOOM_HEALTH_PORT', 0),
    /** Loopback unless somebody else has to look: 0.0.0.0 in a container. */
    healthHost: setting.text('LOOM_HEALTH_HOST', '127.0.0.1'),
  }) as const;

/**
 * The settings of a service, read from its environment; all faults are told at once.
 * @throws LoomError `config_invalid`, naming each variable but never its value.
 */
export function config<S extends Schema>(schema: S, env: Env): Settings<S> {
  const faults: string[] = [];
  const read = Object.entries(schema).map(([key, one]) => [key, valueOf(one, env, faults)]);
  if (faults.length > 0) throw new LoomError('config_invalid', faults.join('; '));
  return Object.fromEntries(read) as Settings<S>;
}

function valueOf(one: Setting<unknown>, env: Env, faults: string[]): unknown {
  const raw = env[one.name];
  if (raw === undefined || raw === '') {
    if (one.fallback === undefined) faults.push(`${one.name} is not set`);
    return one.fallback?.value;
  }
  try {
    return one.parse(raw);
  } catch (cause) {
    faults.push(`${one.name} must be ${(cause as Error).message}`);
    return undefined;
  }
}
