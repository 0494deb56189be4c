import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isKey } from '../src/config/settings.ts';

/** Rooms a room may import; after `type` those of which it may know the types alone. */
interface Door {
  readonly to: readonly string[];
  readonly type?: readonly string[];
}

/** Who may import whom. A room is a file or folder of src, or both; each adapter is a room of its own. */
const DOORS: Readonly<Record<string, Door>> = {
  errors: { to: [] },
  variants: { to: ['errors'] },
  model: { to: [], type: ['variants'] },
  ports: { to: [], type: ['model'] },
  config: { to: ['variants', 'model', 'errors'] },
  image: { to: ['variants', 'model', 'errors'] },
  core: { to: ['variants', 'model', 'errors'], type: ['ports'] },
  // What the adapters that live on a disk must both know of it.
  'adapters/file-systems': { to: [] },
  adapters: { to: ['model', 'errors', 'adapters/file-systems'], type: ['ports'] },
  // It talks to image/worker across a process boundary; the messages are declared once, at that end.
  'adapters/worker-pool': { to: ['model', 'errors'], type: ['ports', 'image/protocol'] },
  report: { to: ['model'] },
  engine: { to: ['core', 'adapters'], type: ['ports', 'model'] },
  history: { to: ['core', 'adapters'], type: ['model'] },
  library: { to: ['engine', 'history', 'config', 'model'] },
  commands: { to: ['engine', 'history', 'config', 'variants', 'report', 'model', 'errors'], type: ['ports'] },
  cli: { to: ['commands', 'config', 'report', 'errors'], type: ['model'] },
  index: { to: ['library', 'errors'], type: ['model'] },
};

/** The only rooms for each package; after `type` those that may know its types alone. */
const PACKAGES: Readonly<Record<string, Door>> = {
  sharp: { to: ['image'] },
  'file-type': { to: ['image'] },
  'better-sqlite3': { to: ['adapters/sqlite-index'] },
  picomatch: { to: ['adapters/local-sources'] },
  chokidar: { to: ['adapters/local-sources'] },
  'p-limit': { to: ['core', 'adapters/local-storage'] },
  chalk: { to: ['report'] },
  ora: { to: ['report'] },
  'cli-progress': { to: ['report'] },
  'log-update': { to: ['report'] },
  'string-width': { to: ['report'] },
  // Flags are put on commands that the command line made.
  commander: { to: ['cli'], type: ['config'] },
  yaml: { to: ['config'] },
  'fastest-levenshtein': { to: ['variants'] },
};

/** What of the process belongs to whom, as rooms or files. */
const PROCESS: readonly { readonly what: string; readonly use: RegExp; readonly of: readonly string[] }[] = [
  {
    what: 'writes to the terminal',
    use: /\bprocess\.(stdout|stderr)\b/,
    of: ['report', 'cli'],
  },
  { what: 'reads the arguments', use: /\bprocess\.(argv|argv0|execArgv)\b/, of: ['cli'] },
  { what: 'sets the exit code or exits', use: /\bprocess\.(exitCode|exit|reallyExit|abort)\b/, of: ['cli'] },
  // The child that renders hears signals so as to ignore them, and can end itself by one alone.
  {
    what: 'hears or sends signals',
    use: /\bprocess\.kill\b|\bprocess\.(on|once|off|\w+Listeners?)\((?!\s*['"](?!SIG))/,
    of: ['cli', 'image/worker'],
  },
  // The pool hands the environment on to its children, unread.
  { what: 'reads the environment', use: /\bprocess\.env\b/, of: ['config', 'adapters/worker-pool/child'] },
  { what: 'uses the console', use: /\bconsole\.\w/, of: [] },
];

const LONGEST = 300;
const DRAWERS = /^(util|helper|manager|misc|common)s?$/;

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => {
    const text = readFileSync(join(SRC, path), 'utf8');
    return { path, room: roomOf(path), text, imports: importsOf(text) };
  });

/** Every import of one room by another, with the file it lies in. */
const CROSSINGS = FILES.flatMap(({ path, room, imports }) =>
  imports
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from, isType }) => ({ path, room, isType, target: posix.join(posix.dirname(path), from) }))
    .filter(({ target }) => roomOf(target) !== room),
);

interface Import {
  readonly from: string;
  /** Gone after compilation. `import { type A }` is not: it still runs the file. */
  readonly isType: boolean;
}

function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const declared = code.matchAll(
    /^\s*(?:import|export)\s+(type\s+(?!from\b|,))?(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  );
  const called = code.matchAll(
    /\b(?:import|require|import\.meta\.resolve|createRequire\(import\.meta\.url\))\(\s*['"`]([^'"`]+)['"`]/g,
  );
  return [
    ...[...declared].map(([, type, from = '']) => ({ from, isType: type !== undefined })),
    ...[...called].map(([, from = '']) => ({ from, isType: false })),
  ];
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function roomOf(path: string): string {
  const [first = '', second = ''] = path.replace(/\.ts$/, '').split('/');
  return first === 'adapters' ? `adapters/${second}` : first;
}

function isAmong(path: string, places: readonly string[] = []): boolean {
  const bare = path.replace(/\.ts$/, '');
  return places.some((place) => bare === place || bare.startsWith(`${place}/`));
}

function packageOf(from: string): string {
  return from.split('/', from.startsWith('@') ? 2 : 1).join('/');
}

describe('the house', () => {
  it('has only the rooms that are known', () => {
    const strange = FILES.filter(({ room }) => !(room in DOORS) && !room.startsWith('adapters/'));
    expect(strange.map(({ path }) => path)).toEqual([]);
  });

  it('lets each room import only what it may', () => {
    const wrong = CROSSINGS.filter(({ room, isType, target }) => {
      const door = DOORS[room] ?? DOORS.adapters;
      return !isAmong(target, door?.to) && !(isType && isAmong(target, door?.type));
    });
    expect(wrong.map(({ path, isType, target }) => `${path} ->${isType ? ' type' : ''} ${target}`)).toEqual(
      [],
    );
  });

  it('never goes in a circle from room to room', () => {
    const doors = new Map(
      FILES.map(({ room }) => {
        const targets = CROSSINGS.filter((one) => one.room === room).map(({ target }) => roomOf(target));
        return [room, [...new Set(targets)]];
      }),
    );
    const next = (room: string) => doors.get(room) ?? [];
    const circles = (path: readonly string[]): string[] =>
      next(path.at(-1) ?? '').flatMap((room) =>
        room === path[0]
          ? [[...path, room].join(' -> ')]
          : path.includes(room)
            ? []
            : circles([...path, room]),
      );
    expect([...doors.keys()].flatMap((room) => circles([room]))).toEqual([]);
  });

  it('keeps each package in the room it was taken in for', () => {
    const wrong = FILES.flatMap(({ path, imports }) =>
      imports
        .filter(({ from }) => !from.startsWith('.') && !isBuiltin(from))
        .filter(({ from, isType }) => {
          const door = PACKAGES[packageOf(from)];
          return !isAmong(path, door?.to) && !(isType && isAmong(path, door?.type));
        })
        .map(({ from }) => `${path} -> ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it('lets core reach files and processes only through ports', () => {
    const harmless = ['node:crypto', 'node:path', 'node:timers/promises'];
    const wrong = FILES.filter(({ room }) => room === 'core').flatMap(({ path, imports }) =>
      imports
        .filter(({ from }) => isBuiltin(from) && !harmless.includes(from))
        .map(({ from }) => `${path} -> ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(PROCESS.map((one) => [one.what, one] as const))('keeps to its rooms what %s', (_, { use, of }) => {
    const users = FILES.filter(({ text }) => use.test(withoutComments(text))).map(({ path }) => path);
    expect(users.filter((path) => !isAmong(path, of))).toEqual([]);
  });

  it('never imports the process, so that its uses are seen as such', () => {
    const users = FILES.filter(({ imports }) => imports.some(({ from }) => /^(node:)?process$/.test(from)));
    expect(users.map(({ path }) => path)).toEqual([]);
  });

  it(`has no file above ${LONGEST} lines`, () => {
    const long = FILES.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines > LONGEST)).toEqual([]);
  });

  it('has no drawer for what found no place', () => {
    const drawers = FILES.filter(({ path }) =>
      path.split(/[/.-]/).some((word) => DRAWERS.test(word.toLowerCase())),
    );
    expect(drawers.map(({ path }) => path)).toEqual([]);
  });
});

describe('the reading of imports', () => {
  it('finds every form there is, and knows which are gone after compilation', () => {
    const text = `
import a from 'a';
import type { B } from 'b';
import { type C } from 'c';
import 'd';
import * as e from "e";
import {
  f,
  g,
} from './f.ts';
export { h } from './h.ts';
export type {
  I,
} from './i.ts';
export * from './j.ts';
const k = await import('./k.ts');
type L = import('./l.ts').L;
const n: typeof import('n') = createRequire(import.meta.url)('n');
import type from 'm';
/* import 'never'; */
// import 'never';
export const from = 'never';
`;
    expect(importsOf(text).map(({ from, isType }) => (isType ? `type ${from}` : from))).toEqual([
      'a',
      'type b',
      'c',
      'd',
      'e',
      './f.ts',
      './h.ts',
      'type ./i.ts',
      './j.ts',
      'm',
      './k.ts',
      './l.ts',
      'n',
      'n',
    ]);
  });
});

describe('a hint', () => {
  const HINTS = /\{\{(\w+)(?: [^}]*)?\}\}/g;

  it('names settings by their keys in core, adapters and image, and never a flag', () => {
    const named = FILES.flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(HINTS)].map(([, key = '']) => ({ path, key })),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ key }) => !isKey(key))).toEqual([]);
  });
});
