import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

/** Preloaded into each process: records all modules that the process loads by `import` or `require`. */
const PRELOAD = `
import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
const file = process.env.LOADED;
const hook = \`
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(\${JSON.stringify(file)}, process.pid + ' ' + url + '\\\\n');
    return next(url, context);
  }\`;
register('data:text/javascript,' + encodeURIComponent(hook));
process.on('exit', () => {
  for (const name of Object.keys(createRequire(file).cache)) appendFileSync(file, process.pid + ' ' + name + '\\n');
});
`;

/** The environment variables that make a process record its modules in a file. */
function recording(LOADED: string) {
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(PRELOAD)}`;
  // A number would need a check, which would load more modules.
  return { LOADED, NODE_OPTIONS, NODE_DISABLE_COMPILE_CACHE: '1', IMGTOOL_JOBS: '' };
}

/** What the first recording process loaded, or all others: packages, and files of the built program. */
function loadedIn(file: string, who: 'first' | 'others' = 'first') {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const first = `${lines[0]?.split(' ')[0]} `;
  const its = lines.filter((line) => line.startsWith(first) === (who === 'first'));
  const all = (pattern: RegExp) => [...new Set(its.flatMap((line) => pattern.exec(line)?.[1] ?? []))].sort();
  return {
    packages: all(/^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    files: all(/^(?!.*node_modules).*\/dist\/(.+)\.js$/),
  };
}

async function loadedBy(place: Place, args: readonly string[], who: 'first' | 'others' = 'first', code = 0) {
  const file = place.put('loaded', '');
  const outcome = await place.run(args, { env: recording(file) });
  expect(outcome, outcome.stderr).toMatchObject({ code });
  return loadedIn(file, who);
}

async function withPictures(): Promise<Place> {
  const place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
  return place;
}

/** The package of the binding. All other packages that a start needs, and its own code, are in the bundle. */
const SQLITE = ['better-sqlite3'];
/** The most files that a start reads, 0.35 ms each. The environment variables of the tests cost one more. */
const FEW = { version: 3, help: 6, look: 9, process: 10, library: 6, child: 4 };

describe('a start', () => {
  it('answers --version without any package or command', async () => {
    const place = openPlace();
    for (const flag of ['--version', '-V']) {
      const { packages, files } = await loadedBy(place, [flag]);
      expect(packages).toEqual([]);
      expect(files.length, files.join(' ')).toBeLessThanOrEqual(FEW.version);
    }
  });

  it('shows help without any package', async () => {
    const place = openPlace();
    const { packages, files } = await loadedBy(place, ['--help']);
    expect(packages).toEqual([]);
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(FEW.help);
    expect((await loadedBy(place, ['list', '--help'])).packages).toEqual([]);
  });

  it('looks up batches with the index alone, without the code for processing', async () => {
    const place = await withPictures();
    await place.process();
    const [batch = ''] = (await place.run(['list'])).stdout.split('\n').slice(1);
    const id = batch.split('\t')[0] ?? '';
    for (const args of [['list'], ['list', '--json'], ['status', id], ['status', '--all', id]]) {
      const { packages, files } = await loadedBy(place, args);
      expect(packages, args.join(' ')).toEqual(SQLITE);
      expect(files.length, files.join(' ')).toBeLessThanOrEqual(FEW.look);
    }
    place.put('.imgtoolrc', '{"jobs": 2}');
    expect((await loadedBy(place, ['list'])).packages, 'settings in JSON').toEqual(
      (await loadedBy(place, ['list', '--no-config'])).packages,
    );
    place.put('.imgtoolrc', 'jobs: 2');
    expect((await loadedBy(place, ['list'])).packages, 'settings in YAML').toContain('yaml');
    expect((await loadedBy(place, ['list', '--color', 'always'])).packages).toContain('chalk');
  });

  it('processes a batch without the code for watching, colours and patterns', async () => {
    const place = await withPictures();
    const args = ['process', 'photos', '--out', 'out'];
    await loadedBy(place, args);
    const { packages, files } = await loadedBy(place, args);
    expect(packages).toEqual(SQLITE);
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(FEW.process);
  });

  it('gives a child process one file with all its code, and loads format detection only for an unknown file', async () => {
    const place = await withPictures();
    const args = ['process', 'photos', '--out', 'out'];
    const ofJpeg = await loadedBy(place, args, 'others');
    expect(ofJpeg.files.length, ofJpeg.files.join(' ')).toBeLessThanOrEqual(FEW.child);
    // The child does not record sharp, which it loads by `require`, because SIGKILL ends the child.
    expect(ofJpeg.packages).toEqual([]);
    for (const format of ['png', 'webp', 'gif'] as const)
      putOld(place.at(`photos/b.${format}`), await picture({ format }));
    expect((await loadedBy(place, args, 'others')).packages).toEqual([]);
    place.put('photos/c.png', 'no picture');
    expect((await loadedBy(place, args, 'others', 1)).packages).toContain('file-type');
  });

  it('loads no code of the command line into the library', () => {
    const place = openPlace();
    const file = place.put('loaded', '');
    const library = new URL('../../dist/index.js', import.meta.url).href;
    const script = `import(${JSON.stringify(library)})`;
    const { status } = spawnSync(process.execPath, ['--eval', script], {
      env: { ...process.env, ...recording(file) },
    });
    expect(status).toBe(0);
    const { packages, files } = loadedIn(file);
    expect(packages).toEqual([]);
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(FEW.library);
  });
});
