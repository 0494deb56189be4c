import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ask, run } from '../run.js';

const SCRIPT = join(import.meta.dirname, 'pillow.py');
const VERSION = "import PIL; from PIL import features; print(PIL.__version__, features.version('webp'))";
const PYTHONS = ['python3', 'python', '/usr/bin/python3', '/usr/local/bin/python3'];

/** As the books have it. */
export function pillow(cores) {
  return way(cores, 'Pillow', 'decoded once at full size, each variant scaled from that', 'full');
}

/** All that it can do. */
export function pillowDraft(cores) {
  return way(
    cores,
    'Pillow with draft()',
    'decoded once, scaled by the JPEG decoder, smaller ones from the large',
    'draft',
  );
}

/** Pillow in a pool of processes; by whichever Python has it. */
async function way(cores, name, how, mode) {
  for (const python of PYTHONS) {
    const version = await ask(python, ['-c', VERSION], /(.+)/);
    if (version === null) continue;
    const [own, webp] = version.split(' ');
    return {
      name,
      how: `pool of one process a core, ${how}`,
      version: `${own}, libwebp ${webp}`,
      async run({ folder }, out) {
        mkdirSync(out, { recursive: true });
        return (await run(python, [SCRIPT, folder, out, `${cores}`, mode])).ms;
      },
    };
  }
  return { missing: `${name} (no module PIL in ${PYTHONS.join(', ')})` };
}
