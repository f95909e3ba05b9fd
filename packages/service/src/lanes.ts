/** Does the same for all of them, so many at once, each when the one before it in its lane is done; the answers are in the order of what was given. */
export async function inLanes<A, B>(width: number, all: readonly A[], work: (one: A) => Promise<B>): Promise<B[]> {
  const answers: B[] = [];
  const queue = all.entries();
  const lane = async (): Promise<void> => {
    for (const [at, one] of queue) answers[at] = await work(one);
  };
  await Promise.all(Array.from({ length: width }, lane));
  return answers;
}
