/** Objects of one shape, made in one piece as a literal makes them: putting in one field after the other takes twenty times as long. Names are those of a schema's fields. */
export function recordMaker<S>(
  names: readonly string[],
  fields: readonly ((source: S) => unknown)[],
): (source: S) => Record<string, unknown> {
  const literal = names.map((name, i) => `${JSON.stringify(name)}: f${i}(source)`).join(', ');
  const unpacked = fields.map((_, i) => `f${i}`).join(', ');
  // oxlint-disable-next-line typescript/no-implied-eval -- of the names alone, each as a string; avsc makes its records the same way
  return new Function('fields', `const [${unpacked}] = fields; return (source) => ({ ${literal} });`)(fields);
}
