import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN } from '../src/variants/presets.ts';
import { makePlace } from './place.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The id of a batch as the examples have it. */
const EXAMPLE_ID = '48ec8f19';
/** What only a clone can do, and what other tests do. */
const NOT_RUN = /^(npm install|npm link|npm cit)\b/;

/** The code blocks of one language. */
function blocks(language: string): string[] {
  const found = README.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return [...found].map(([, text = '']) => text);
}

/** Each command line of the examples, with the exit code its comment promises. */
const COMMANDS = blocks('sh')
  .flatMap((block) => block.split('\n'))
  .filter((line) => line !== '' && !NOT_RUN.test(line))
  .map((line) => {
    const [command = '', comment = ''] = line.split(/\s+# /);
    const isEndless = comment === 'until Ctrl-C';
    return { command, isEndless, exit: Number(/^exits (\d+)/.exec(comment)?.[1] ?? 0) };
  });

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

/** The photographs of the fixtures, small: the examples are about what happens, not about how long it takes. */
let photos: string;
beforeAll(async () => {
  photos = mkdtempSync(join(tmpdir(), 'imgtool-readme-'));
  const all = join(ROOT, 'test/fixtures/photos');
  for (const name of readdirSync(all).filter((one) => one.endsWith('.jpg')))
    await sharp(join(all, name)).resize(300).toFile(join(photos, name));
});
afterAll(() => rmSync(photos, { recursive: true, force: true }));

/** A folder like the one the examples are run in: photographs, a settled state of its own, `imgtool` in the PATH. */
function makeReader() {
  const place = makePlace();
  for (const folder of ['photos', 'test/fixtures/photos'])
    cpSync(photos, join(place, folder), { recursive: true });
  mkdirSync(join(place, 'more'));
  cpSync(join(photos, 'umang.jpg'), join(place, 'more/scan.jpg'));
  mkdirSync(join(place, 'bin'));
  symlinkSync(join(ROOT, 'bin/imgtool.js'), join(place, 'bin/imgtool'));
  mkdirSync(join(place, 'node_modules'));
  symlinkSync(ROOT, join(place, 'node_modules/imgtool'));
  const env = {
    PATH: [join(place, 'bin'), process.env.PATH].join(delimiter),
    HOME: place,
    XDG_STATE_HOME: join(place, 'state'),
    XDG_CONFIG_HOME: join(place, 'config'),
    IMGTOOL_JOBS: '1',
  };
  const run = (command: string) => {
    const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
      cwd: place,
      env,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  /** Starts a command that does not end by itself. */
  const start = (command: string, more: Record<string, string> = {}) => {
    const child = spawn('bash', ['-c', command], { cwd: place, env: { ...env, ...more } });
    started.add(child);
    let text = '';
    const closed = once(child, 'close');
    const told = (what: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const hear = (chunk: Buffer) => {
          text += chunk.toString();
          if (what.test(text)) resolve();
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.on('close', () => reject(new Error(text)));
      });
    const stop = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      const [, by] = (await closed) as [number | null, NodeJS.Signals | null];
      return by;
    };
    return { told, stop };
  };
  return { place, run, start };
}

/** The cells of all rows of tables below a heading, without markup. */
function rows(heading: string): string[][] {
  const text = README.split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) =>
    row.split(' | ').map((cell) => cell.trim()),
  );
}

/** The words in `code` of the first cells. */
function firstCells(heading: string): string[] {
  return rows(heading).flatMap(([cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
  );
}

describe('README.md', () => {
  it('shows commands', () => {
    expect(COMMANDS.length).toBeGreaterThan(15);
  });

  it.each(COMMANDS.filter(({ isEndless }) => isEndless))('promises what `$command` does', async (one) => {
    const { start } = makeReader();
    const { told, stop } = start(`exec ${one.command}`);
    const done = /completed .*umang\.jpg|"source":"photos\/umang\.jpg","state":"completed"/;
    await told(one.command.includes('--no-existing') ? /watching folders=1/ : done);
    expect(await stop('SIGINT')).toBe('SIGINT');
  });

  it('shows a service that runs, with its index where systemd wants it, and ends by SIGTERM', async () => {
    const { start, place } = makeReader();
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(blocks('ini')[0] ?? '') ?? [];
    const here = command
      .replace('/usr/local/bin/imgtool', 'imgtool')
      .replace('/srv/inbox', 'photos')
      .replace('/srv/web', 'out');
    const { told, stop } = start(`exec ${here}`, { STATE_DIRECTORY: join(place, 'service') });
    await told(/completed .*umang\.jpg/);
    expect(await stop('SIGTERM')).toBe('SIGTERM');
    expect(existsSync(join(place, 'service/imgtool.db'))).toBe(true);
  });

  it.each(COMMANDS.filter(({ isEndless }) => !isEndless))(
    'promises what `$command` does',
    ({ command, exit }) => {
      const { run } = makeReader();
      let line = command.replace(/^npm start --/, 'imgtool');
      if (line.includes(EXAMPLE_ID)) {
        const { stdout } = run('imgtool process photos --out out --json');
        const { batch } = JSON.parse(stdout.split('\n')[0] ?? '') as { batch: string };
        line = line.replace(EXAMPLE_ID, batch);
      }
      const { status, stderr } = run(line);
      expect({ status, stderr: status === exit ? '' : stderr }).toEqual({ status: exit, stderr: '' });
    },
  );

  it('shows a library example that runs', () => {
    const { place, run } = makeReader();
    const [example = ''] = blocks('js');
    writeFileSync(join(place, 'example.mjs'), example);
    const { status, stdout, stderr } = run(`'${process.execPath}' example.mjs`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('completed photos/umang.jpg 1\n');
    expect(stdout).toContain('completed: 7');
  });

  it('shows a file of settings that means what it says', () => {
    const { place, run } = makeReader();
    const [file = ''] = blocks('yaml');
    writeFileSync(join(place, '.imgtoolrc'), file);
    const { status, stdout } = run('imgtool config --json');
    expect(status).toBe(0);
    const { config } = JSON.parse(stdout) as { config: { key: string; value: string; origin: string }[] };
    const own = config.filter(({ origin }) => origin.endsWith('.imgtoolrc'));
    expect(Object.fromEntries(own.map(({ key, value }) => [key, value]))).toEqual({
      exclude: 'drafts/**',
      out: join(place, 'pictures'),
      preset: 'shop',
      'presets.shop': 'tile:w=400,h=400,format=webp,fit=cover; hero:w=1600,format=avif,q=55',
    });
  });

  it('shows JSON with the fields there are, in their order', () => {
    const { run } = makeReader();
    const command =
      'imgtool process photos/umang.jpg --out out --variant hero:w=1600,format=avif,q=55 --json';
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => shape(JSON.parse(line)));
    expect(lines(blocks('json')[0] ?? '')).toEqual(lines(run(command).stdout));
  });

  it('has every flag of process, and no other', () => {
    const flags = flagsOf('process');
    expect(flags.length).toBeGreaterThan(25);
    expect(firstCells('Options of `process`').sort()).toEqual(flags);
  });

  it('has every flag of watch that process does not have, and no other', () => {
    const ofProcess = new Set(flagsOf('process'));
    const own = flagsOf('watch').filter((flag) => !ofProcess.has(flag));
    expect(firstCells('Watching folders').sort()).toEqual(own);
  });

  it('has every command, and no other', () => {
    const { stdout } = makeReader().run('imgtool --help');
    const [, text = ''] = stdout.split('Commands:\n');
    const names = [...text.matchAll(/^ {2}(\w+)/gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'help');
    expect(firstCells('Commands').map((command) => command.split(' ')[1])).toEqual(names);
  });

  it('has every built-in preset with its variants', () => {
    const presets = rows('Presets').filter(([cell = '']) => cell.startsWith('`'));
    expect(presets.map(([cell = '']) => /`(\w+)`/.exec(cell)?.[1])).toEqual(BUILT_IN.map(({ name }) => name));
    for (const { name, variants } of BUILT_IN) {
      const cell = presets.find(([first = '']) => first.includes(`\`${name}\``))?.[1] ?? '';
      const named = [...cell.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);
      const ofWeb = named.includes('web') ? (BUILT_IN[0]?.variants ?? []).map((variant) => variant.name) : [];
      const told = [...ofWeb, ...named.filter((word) => word !== 'web')];
      expect([...new Set(variants.map((variant) => variant.name))], name).toEqual(told);
    }
  });

  it('has every key of a variant', () => {
    const { stderr } = makeReader().run('imgtool process photos --variant a:w=1,nonsense=1');
    const keys = /^fix: use one of: (.*)$/m.exec(stderr)?.[1]?.split(', ') ?? [];
    expect(keys.length).toBeGreaterThan(8);
    expect(firstCells('Variants of your own').sort()).toEqual(keys.sort());
  });

  it('has every error code, and no other', () => {
    const source = readFileSync(join(ROOT, 'src/errors.ts'), 'utf8');
    const codes = [...source.matchAll(/^ {2}(\w+): \{ exit: \d+/gm)].map(([, code = '']) => code);
    expect(codes.length).toBeGreaterThan(20);
    expect(firstCells('Errors').sort()).toEqual(codes.sort());
  });

  it('has every exit code', () => {
    const codes = rows('Exit codes').flatMap(([cell = '']) => cell.match(/\d+/g) ?? []);
    expect(codes).toEqual(['0', '1', '2', '3', '129', '130', '143', '141']);
  });
});

/** Flags as the help of a command shows them, sorted. */
function flagsOf(command: string): string[] {
  const { stdout } = makeReader().run(`imgtool ${command} --help`);
  const found = [...stdout.matchAll(/^ {2}(-.*?)(?: {2,}|$)/gm)];
  return found.flatMap(([, text = '']) => text.split(', ')).sort();
}

/** Keys and kinds of values, without the values. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, inner]) => [key, shape(inner)]);
}
