// Builds dist/*.js from src. Node needs 0.35 ms for each module, whatever its size, so modules that load together
// become one file (`list` loads 7 files instead of 53 and takes 0.86 of the time). Most packages stay outside.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const SRC = fileURLToPath(new URL('.', import.meta.url));
const DIST = join(SRC, '../dist');

/** Modules that users, tests or the end of this script import by path. */
const ENTRIES = ['cli', 'index', 'image/worker', 'adapters/worker-pool', 'config/schema'];

/** One file each, with the modules that it imports and no earlier part has. The library needs nothing from `cli`. */
const PARTS = {
  // Keep this part small: every process loads it before the compile cache is on.
  first: ['errors', 'errors/codes', 'config/compiled', 'model/picture', 'variants/formats', 'variants/words'],
  exit: ['cli/exit'],
  look: ['config', 'history', 'model/images', 'report/open', 'report/status'],
  run: ['engine', 'report/plain', 'report/watch-plain'],
  work: ['image/work'],
};

/** Small packages that a start needs: bundled, they save 0.35 ms a file, and 2 ms where they are CommonJS. */
const INSIDE = ['commander', 'fastest-levenshtein', 'p-limit', 'yocto-queue'];

const bundle = await rolldown({
  input: Object.fromEntries(ENTRIES.map((name) => [name, join(SRC, `${name}.ts`)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id) && !INSIDE.includes(id),
  // An entry may export extra names that another part imports.
  preserveEntrySignatures: 'allow-extension',
  onLog: (level, log, report) => log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT' && report(level, log),
});
const { output } = await bundle.generate({
  chunkFileNames: 'parts/[name].js',
  // V8 reads comments too, at each start.
  comments: { legal: true, annotation: false, jsdoc: false },
  // Keep real names. A process that loads a part of a newer build then fails clearly if the two do not fit together.
  minifyInternalExports: false,
  codeSplitting: {
    groups: Object.entries(PARTS).map(([name, modules]) => ({
      name,
      test: (id) => modules.some((module) => id === join(SRC, `${module}.ts`)),
    })),
  },
});
await bundle.close();

const made = new Map(
  [...output, ...(await sqlite())].map(({ fileName, code }) => [join(DIST, fileName), code]),
);
for (const [path, code] of made) put(path, code);
const { settingsSchema } = await import(pathToFileURL(join(DIST, 'config/schema.js')).href);
put(join(DIST, 'imgtoolrc.schema.json'), `${JSON.stringify(settingsSchema(), null, 2)}\n`);
for (const { name, parentPath } of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
  const path = join(parentPath, name);
  if (/\.c?js$/.test(name) && !made.has(path)) rmSync(path, { force: true });
}

/**
 * The JavaScript of better-sqlite3 in one file, which saves every command 7 ms. Its name has the version, because it
 * fits that version alone. Version 13 finds its binding in another way and stays as it is.
 */
async function sqlite() {
  const { version } = createRequire(import.meta.url)('better-sqlite3/package.json');
  if (!version.startsWith('12.')) return [];
  // The package `bindings` searches beside the file that asks, and this file is elsewhere.
  const bindings = 'module.exports = (name) => require("better-sqlite3/build/Release/" + name)';
  const made = await rolldown({
    input: 'better-sqlite3',
    cwd: SRC,
    platform: 'node',
    external: /\.node$/,
    plugins: [
      {
        name: 'bindings',
        resolveId: (id) => (id === 'bindings' ? '\0bindings.cjs' : undefined),
        load: (id) => (id === '\0bindings.cjs' ? bindings : undefined),
      },
    ],
  });
  const { output } = await made.generate({ format: 'cjs', entryFileNames: `parts/sqlite-${version}.cjs` });
  await made.close();
  return output;
}

/** Keeps an unchanged file and never exposes half a file: `npm start` builds while other processes may run. */
function put(path, code) {
  try {
    if (readFileSync(path, 'utf8') === code) return;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true });
  }
  const staged = `${path}.${process.pid}.tmp`;
  writeFileSync(staged, code);
  renameSync(staged, path);
}
