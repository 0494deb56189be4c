import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeEach, expect, it } from 'vitest';
import { makePlace } from './place.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

let place: string;
let packed: string;

/** The package as published, beside exactly the packages that it depends on. */
beforeEach(() => {
  place = makePlace();
  packed = join(place, 'node_modules/imgtool');
  mkdirSync(packed, { recursive: true });
  for (const name of Object.keys(dependencies)) {
    const there = join(place, 'node_modules', name);
    mkdirSync(dirname(there), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), there);
  }
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', place], { cwd: ROOT });
  const [file = ''] = readdirSync(place).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', join(place, file), '-C', packed, '--strip-components=1']);
}, 60_000);

function node(...args: readonly string[]) {
  const env = { ...process.env, IMGTOOL_INDEX: join(place, 'index.db') };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: place,
    env,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

it('the installed package renders pictures', async () => {
  const red = { width: 40, height: 30, channels: 3, background: 'red' } as const;
  mkdirSync(join(place, 'photos'));
  await sharp({ create: red }).jpeg().toFile(join(place, 'photos/red.jpg'));
  const bin = join(packed, 'bin/imgtool.js');
  const output = node(bin, 'process', 'photos', '--out', 'out', '--variant', 'small:w=20', '--json');
  expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({ counts: { completed: 1 } });
  expect(readdirSync(join(place, 'out'))).toEqual(['red_small.webp']);
  expect(node(bin, 'list')).toMatch(/\tfinished\t1\t1\t/);
});

it('the installed package can be imported by its name, with types', () => {
  writeFileSync(
    join(place, 'library.mjs'),
    "import * as library from 'imgtool'; console.log(typeof library.ImgtoolError);",
  );
  expect(node('library.mjs')).toBe('function\n');
  expect(readFileSync(join(packed, 'dist/index.d.ts'), 'utf8')).toContain('ImgtoolError');
});

it('the package contains the built program and the help pages, and no sources', () => {
  const files = readdirSync(packed, { recursive: true, encoding: 'utf8' });
  const needed = ['bin/imgtool.js', 'dist/cli.js', 'dist/image/worker.js', 'src/help/variants.md'];
  expect(files).toEqual(expect.arrayContaining(needed.map((path) => join(path))));
  const schema = JSON.parse(readFileSync(join(packed, 'dist/imgtoolrc.schema.json'), 'utf8'));
  expect(schema.properties).toMatchObject({ out: {}, presets: {} });
  const unwanted = /^(src[\\/](?!help\b)|test\b)|\.(tmp|tsbuildinfo)$|(?<!\.d)\.ts$/;
  expect(files.filter((name) => unwanted.test(name))).toEqual([]);
  expect(node(join(packed, 'bin/imgtool.js'), 'help', 'variants')).toContain('--variant');
});
