import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FIX =
  'fix: npm rebuild better-sqlite3 in the folder of imgtool; if that fails, see imgtool help files-and-uninstall\n';

let place: Place;
let sqlite: string;

/** A copy of the program in which the package of SQLite is a real folder. */
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
  const packages = place.at('../program/node_modules');
  for (const part of ['bin', 'dist', 'package.json', 'src/help'])
    cpSync(join(ROOT, part), place.at('../program', part), { recursive: true });
  place.put('../program/node_modules/.keep', '');
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'better-sqlite3')
      symlinkSync(join(ROOT, 'node_modules', name), join(packages, name));
  }
  sqlite = join(packages, 'better-sqlite3');
  const isNeeded = (path: string) => !/better-sqlite3\/(deps|src)$/.test(path);
  cpSync(join(ROOT, 'node_modules/better-sqlite3'), sqlite, { recursive: true, filter: isNeeded });
});

function run(...args: string[]) {
  const program = place.at('../program/bin/imgtool.js');
  // The shell leaves out the path of the real program behind these words.
  const words = [process.execPath, program, ...args].map((word) => `'${word}'`);
  return place.run([], { before: ['sh', '-c', `exec ${words.join(' ')}`] });
}

describe('without the binding of SQLite', () => {
  beforeEach(() => rmSync(join(sqlite, 'build'), { recursive: true }));

  it.each([[['process', 'photos', '--out', 'out']], [['list']], [['verify']]])(
    '%j says which command makes the binding',
    async (args) => {
      const { code, stderr } = await run(...args);
      const what = `error: the SQLite binding is missing or made for another Node than ${process.version}\n`;
      expect([code, stderr]).toEqual([3, what + FIX]);
      expect(place.files('.')).toEqual(['photos/a.jpg']);
    },
  );

  it('`doctor` reports a problem, and the page of help can be read', async () => {
    const doctor = await run('doctor', '--json');
    const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; state: string }[] };
    const index = checks.find(({ name }) => name === 'index');
    expect([doctor.code, index?.state]).toEqual([1, 'problem']);
    expect((await run('help', 'files-and-uninstall')).stdout).toContain('C++ compiler');
  });
});

it('a binding for another system is reported with the words of the system', async () => {
  const [build] = readdirSync(join(sqlite, 'build/Release')).filter((name) => name.endsWith('.node'));
  const path = join(sqlite, 'build/Release', build ?? '');
  expect(readFileSync(path).length).toBeGreaterThan(0);
  writeFileSync(path, 'for another system');
  const { code, stderr } = await run('list');
  expect([code, stderr]).toEqual([3, expect.stringMatching(/^cause: .*better_sqlite3\.node/m)]);
  expect(stderr).toContain(FIX);
});
