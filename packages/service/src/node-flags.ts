/**
 * Flags of Node under which services run; `loom` and `deploy/images/run` spell them too. A young generation of twice 16 MiB: what Node chooses on a
 * large machine is four times as much, for no processor time that could be measured. An old one that is cleared when it has come to twice what lived
 * in it: Node waits for up to four times as much, and a service would keep that room (docs/benchmarks.md).
 */
export const nodeFlags: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=16',
  '--heap-growing-percent=100',
];
