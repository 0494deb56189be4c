import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { makePlace } from './place.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Built files by name, with their inodes: a file that is written again gets another inode. */
function builtIn(dist: string): Record<string, number> {
  const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(names.map((name) => [name, statSync(join(dist, name)).ino]));
}

it('a second build keeps unchanged files, which can be in use, and removes files of earlier builds', () => {
  const place = makePlace();
  for (const name of ['src', 'package.json'])
    cpSync(join(ROOT, name), join(place, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  const build = () => execFileSync(process.execPath, [join(place, 'src/bundle.js')], { encoding: 'utf8' });
  expect(build(), 'a warning').toBe('');
  const dist = join(place, 'dist');
  const built = builtIn(dist);
  expect(Object.keys(built)).toEqual(expect.arrayContaining(['cli.js', 'index.js', 'image/worker.js']));
  writeFileSync(join(dist, 'parts/old.js'), '');
  writeFileSync(join(dist, 'index.d.ts'), '');
  writeFileSync(join(dist, 'cli.js'), 'cut sho');
  build();
  const { 'index.d.ts': types, 'cli.js': cli, ...again } = builtIn(dist);
  expect(types).toBeDefined();
  expect(cli).not.toBe(built['cli.js']);
  expect({ ...again, 'cli.js': built['cli.js'] }).toEqual(built);
});
