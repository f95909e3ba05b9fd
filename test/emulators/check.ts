/** A request that breaks the published schema: `path` says where, in the provider's own notation. */
export class Refusal extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = 'Refusal';
    this.path = path;
  }
}

/** Refuses a value that does not fit. */
export type Rule = (value: unknown, path: string) => void;

export type Fields = Readonly<Record<string, unknown>>;

export const refuse = (path: string, message: string): never => {
  throw new Refusal(path, message);
};

export const text =
  (options: { readonly min?: number; readonly max?: number; readonly pattern?: RegExp } = {}): Rule =>
  (value, path) => {
    if (typeof value !== 'string') return refuse(path, 'Input should be a valid string');
    if (value.length < (options.min ?? 0)) refuse(path, `String should have at least ${options.min} character(s)`);
    if (value.length > (options.max ?? Infinity)) refuse(path, `String should have at most ${options.max} characters`);
    if (options.pattern && !options.pattern.test(value))
      refuse(path, `String should match pattern '${options.pattern.source}'`);
  };

export const whole =
  (min: number, max: number): Rule =>
  (value, path) => {
    if (!Number.isInteger(value)) return refuse(path, 'Input should be a valid integer');
    if (Number(value) < min || Number(value) > max) refuse(path, `Input should be from ${min} to ${max}`);
  };

export const flag: Rule = (value, path) => {
  if (typeof value !== 'boolean') refuse(path, 'Input should be a valid boolean');
};

export const exactly =
  (...words: readonly unknown[]): Rule =>
  (value, path) => {
    if (!words.includes(value))
      refuse(path, `Input should be ${words.map((word) => JSON.stringify(word)).join(' or ')}`);
  };

export const dictionary: Rule = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(path, 'Input should be a valid dictionary');
};

export const list =
  (rule: Rule, least = 0): Rule =>
  (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'Input should be a valid list');
    if (value.length < least) refuse(path, `List should have at least ${least} item(s)`);
    value.forEach((item, at) => rule(item, `${path}.${at}`));
  };

/** Rules by field; a name that ends in `?` may be absent. Fields that no rule names are refused. */
export const record =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value, path) => {
    dictionary(value, path);
    const fields = value as Fields;
    const named = new Map(
      Object.entries(rules).map(([name, rule]) => [name.replace(/\?$/, ''), { rule, optional: name.endsWith('?') }]),
    );
    const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
    for (const name of Object.keys(fields)) if (!named.has(name)) refuse(at(name), 'Extra inputs are not permitted');
    for (const [name, { rule, optional }] of named) {
      if (fields[name] !== undefined) rule(fields[name], at(name));
      else if (!optional) refuse(at(name), 'Field required');
    }
  };

/** Chooses the rule by the field `type`. */
export const tagged =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value, path) => {
    dictionary(value, path);
    const tag = String((value as Fields).type);
    const rule =
      rules[tag] ??
      ((_: unknown, where: string) =>
        refuse(where, `Input tag '${tag}' found using 'type' does not match any of the expected tags`));
    rule(value, path);
  };

/** The first rule when the value is a string, else the second. */
export const textOr =
  (other: Rule, first: Rule = text()): Rule =>
  (value, path) =>
    (typeof value === 'string' ? first : other)(value, path);

/** A JSON Schema for a tool's arguments: an object whose `required` fields it knows. */
export const objectSchema: Rule = (value, path) => {
  dictionary(value, path);
  const { type, properties = {}, required = [] } = value as { type?: unknown; properties?: Fields; required?: unknown };
  if (type !== 'object') refuse(`${path}.type`, "Input should be 'object'");
  dictionary(properties, `${path}.properties`);
  list(exactly(...Object.keys(properties)))(required, `${path}.required`);
};
