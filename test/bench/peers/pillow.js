import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ask, run } from '../run.js';

const SCRIPT = join(import.meta.dirname, 'pillow.py');
const ROOT = join(import.meta.dirname, '../../..');
const VERSION = "import PIL; from PIL import features; print(PIL.__version__, features.version('webp'))";
const PYTHONS = ['python3', 'python', '/usr/bin/python3', '/usr/local/bin/python3'];

export function pillow(cores) {
  const how = 'decoded once, `resize()` of the whole picture for each variant';
  return way(cores, 'Pillow', how, 'resize');
}

/** As its tutorial makes thumbnails: in two steps, of which the first only averages pixels. */
export function pillowThumbnail(cores) {
  const how = 'decoded once, `thumbnail()` of a copy of the whole picture for each variant';
  return way(cores, 'Pillow with thumbnail()', how, 'thumbnail');
}

/** All that it can do. */
export function pillowTuned(cores) {
  const how = 'decoded once, scaled by the JPEG decoder (`draft()`), smaller ones from the large';
  return way(cores, 'Pillow, tuned', how, 'draft');
}

/** Pillow in a pool of processes; by whichever Python has it. */
async function way(cores, name, how, mode) {
  for (const python of PYTHONS) {
    const version = await ask(python, ['-c', VERSION], /(.+)/);
    if (version === null) continue;
    const [own, webp] = version.split(' ');
    return {
      name,
      how: `a pool of one process a core, ${how}`,
      command: `${python} ${relative(ROOT, SCRIPT)} photographs out ${cores} ${mode}`,
      version: `${own}, libwebp ${webp}`,
      async run({ folder }, out) {
        mkdirSync(out, { recursive: true });
        return (await run(python, [SCRIPT, folder, out, `${cores}`, mode])).ms;
      },
    };
  }
  return { missing: `${name} (no module PIL in ${PYTHONS.join(', ')})` };
}
