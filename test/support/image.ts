/** The sandbox image for tests that start containers. */
import { imageTag } from '@loom/cli';

/** Tag of the image: LOOM_SANDBOX_IMAGE, else the one of the present recipe. Nothing is built; `./loom doctor --fix` does that. */
export async function sandboxImage(): Promise<string> {
  return process.env['LOOM_SANDBOX_IMAGE'] ?? (await imageTag());
}
