/**
 * Flags of Node under which services run; `loom` and `deploy/images/run` spell them too. A young generation of twice 16 MiB: what Node
 * chooses on a large machine is four times as much, for no processor time that could be measured (docs/benchmarks.md).
 */
export const nodeFlags: readonly string[] = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=16'];
