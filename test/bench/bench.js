// npm run bench [-- section… options]: what imgtool takes for its work, against others and against the least that it
// could take. Markdown on standard output, progress on standard error. Run it on a quiet machine.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { header } from './figures.js';
import { imgtool } from './peers/imgtool.js';
import { KEYS } from './peers/index.js';
import { inFolder, tell } from './run.js';
import { duplicates } from './sections/duplicates.js';
import { effort } from './sections/effort.js';
import { encoders } from './sections/encoders.js';
import { peers } from './sections/peers.js';
import { quality } from './sections/quality.js';
import { serve } from './sections/serve.js';
import { small } from './sections/small.js';
import { start } from './sections/start.js';
import { unchanged } from './sections/unchanged.js';

const SECTIONS = { peers, small, unchanged, duplicates, start, serve, quality, effort, encoders };
const DEFAULT = ['peers', 'small'];

const USAGE = `npm run bench -- [section…] [options]
sections: ${Object.keys(SECTIONS).join(', ')}, all (default: ${DEFAULT.join(', ')})
  --folder <dir>   photographs (default: ../shared/photos, else test/fixtures/photos)
  --rounds <n>     rounds that are counted (default: 5)
  --times <n>      how many times over the photographs are taken (default: 4)
  --count <n>      how many small pictures (default: each section's own)
  --ways <a,b>     of ${KEYS.join(', ')}
  --speed-only     without a look at the outputs of all ways, which takes minutes
`;

const options = optionsOf(process.argv.slice(2));

if (options === null) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const libraries = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
  const versions = `imgtool ${(await imgtool()).version}, ${libraries}`;
  process.stdout.write(`\`${options.command}\`, ${header().join('')}, ${versions}\n`);
  for (const name of options.sections) {
    tell(name);
    await inFolder(async (place) => {
      for await (const lines of SECTIONS[name]({ ...options, place }))
        process.stdout.write(`\n${lines.join('\n')}\n`);
    });
  }
}

/** Null for what is not understood. */
function optionsOf(args) {
  const named = ['folder', 'rounds', 'times', 'count', 'ways'].map((name) => [name, { type: 'string' }]);
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...Object.fromEntries(named), 'speed-only': { type: 'boolean' } },
    });
    const sections = positionals.includes('all') ? Object.keys(SECTIONS) : positionals;
    const chosen = values.ways?.split(',');
    if (![...sections].every((name) => name in SECTIONS)) return null;
    if (!(chosen ?? []).every((key) => KEYS.includes(key))) return null;
    return {
      command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
      sections: sections.length > 0 ? sections : DEFAULT,
      folder: resolve(values.folder ?? photographs()),
      rounds: Number(values.rounds ?? 5),
      times: Number(values.times ?? 4),
      count: values.count === undefined ? undefined : Number(values.count),
      chosen,
      speedOnly: values['speed-only'],
      cores: availableParallelism(),
    };
  } catch {
    return null;
  }
}

function photographs() {
  const root = resolve(import.meta.dirname, '../..');
  return ['../shared/photos', 'test/fixtures/photos'].map((path) => resolve(root, path)).find(existsSync);
}
