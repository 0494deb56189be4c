// Makes dist/*.js of src. Node takes 0.35 ms for each module there is, whatever is in it: what is loaded together becomes
// one file (`list` loads 7 instead of 53 and is done in 0.86 of the time). Packages stay outside.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const SRC = fileURLToPath(new URL('.', import.meta.url));
const DIST = join(SRC, '../dist');

/** Modules that are run or imported by name: by users, by tests, and `config/schema` below. */
const ENTRIES = ['cli', 'index', 'image/worker', 'adapters/worker-pool', 'config/schema'];

/** A file for each: these modules, and what they import that is in none before it. A library wants nothing of `cli`. */
const PARTS = {
  // Little, and in all processes: what Node compiles before it is told to keep it, it compiles each time.
  first: ['errors', 'config/compiled'],
  signals: ['cli/signals'],
  look: ['config', 'history', 'report/open', 'report/messages'],
  program: ['cli/program'],
  run: ['engine'],
  work: ['image/work'],
};

const bundle = await rolldown({
  input: Object.fromEntries(ENTRIES.map((name) => [name, join(SRC, `${name}.ts`)])),
  platform: 'node',
  // This package is CommonJS and takes 4 ms to load on its own.
  external: (id) => !id.startsWith('.') && !isAbsolute(id) && id !== 'fastest-levenshtein',
  // A name that one part has of another may be exported by an entry besides its own.
  preserveEntrySignatures: 'allow-extension',
  onLog: (level, log, tell) => log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT' && tell(level, log),
});
const { output } = await bundle.generate({
  chunkFileNames: 'parts/[name].js',
  // By their own names: who runs while it is built anew and loads another part meanwhile is told if they do not fit.
  minifyInternalExports: false,
  codeSplitting: {
    groups: Object.entries(PARTS).map(([name, modules]) => ({
      name,
      test: (id) => modules.some((module) => id === join(SRC, `${module}.ts`)),
    })),
  },
});
await bundle.close();

const made = new Map(output.map(({ fileName, code }) => [join(DIST, fileName), code]));
for (const [path, code] of made) put(path, code);
const { settingsSchema } = await import(pathToFileURL(join(DIST, 'config/schema.js')).href);
put(join(DIST, 'imgtoolrc.schema.json'), `${JSON.stringify(settingsSchema(), null, 2)}\n`);
for (const { name, parentPath } of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
  const path = join(parentPath, name);
  if (name.endsWith('.js') && !made.has(path)) rmSync(path, { force: true });
}

/** What is as it was is left alone, and nothing is seen half written: it may be running, for `npm start` builds first. */
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
