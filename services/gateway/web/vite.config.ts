import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const pressed = /\.(js|css|svg|html)$/;

/** Presses every file of text once, so that no gateway does it for each call. */
function press(): Plugin {
  let dir = '';
  return {
    name: 'press',
    configResolved: ({ build }) => void (dir = join(build.outDir, 'assets')),
    async closeBundle() {
      for (const name of (await readdir(dir)).filter((one) => pressed.test(one))) {
        const file = join(dir, name);
        const content = await readFile(file);
        await writeFile(`${file}.br`, await promisify(brotliCompress)(content));
        await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
      }
    },
  };
}

/** No file is written into the page itself: the policy allows no inline script or style, and fonts are files too. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), press()],
  build: {
    target: 'es2024',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
