/** The rules of the architecture, as functions of files that exist or do not. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { isKey } from '../src/config/settings.ts';

/** A file of src. */
export interface SourceFile {
  /** Below src, with `/`. */
  readonly path: string;
  readonly text: string;
}

interface Parsed extends SourceFile {
  readonly room: string;
  readonly imports: readonly Import[];
}

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

interface Import {
  readonly from: string;
  /** Gone after compilation. `import { type A }` is not: it still runs the file. */
  readonly isType: boolean;
}

export function importsOf(text: string): Import[] {
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

const resolved = (path: string, from: string): string => posix.join(posix.dirname(path), from);

/** Imports of other rooms, with the path of their target. */
function crossingsOf(files: readonly Parsed[]) {
  return files.flatMap(({ path, room, imports }) =>
    imports
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from, isType }) => ({ path, room, isType, target: resolved(path, from) }))
      .filter(({ target }) => roomOf(target) !== room),
  );
}

/** Circles in a graph, each once, from the first of its nodes in the order of the graph. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) {
      const circle = path.slice(at);
      const first = circle.indexOf([...circle].sort()[0] ?? '');
      found.add([...circle.slice(first), ...circle.slice(0, first)].join(' -> '));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return [...found];
}

const EXPORTED =
  /^export (?:declare )?(?:async )?(?:function\*?|const|class|interface|type|abstract class) ([A-Za-z0-9_]+)/gm;

/** Each rule by its name: what breaks it, in words. */
export const RULES: Readonly<Record<string, (files: readonly Parsed[]) => string[]>> = {
  'has only rooms that are known': (files) =>
    files.filter(({ room }) => !(room in DOORS) && !room.startsWith('adapters/')).map(({ path }) => path),

  'lets each room import only what it is allowed to': (files) =>
    crossingsOf(files)
      .filter(({ room, isType, target }) => {
        const door = DOORS[room] ?? DOORS.adapters;
        return !isAmong(target, door?.to) && !(isType && isAmong(target, door?.type));
      })
      .map(({ path, isType, target }) => `${path} ->${isType ? ' type' : ''} ${target}`),

  'has no circle of files, type imports included': (files) => {
    const known = new Set(files.map(({ path }) => path));
    const graph = new Map(
      files.map(({ path, imports }) => {
        const targets = imports.map(({ from }) => resolved(path, from));
        return [path, targets.filter((target) => known.has(target))];
      }),
    );
    return circlesIn(graph);
  },

  'has no circle of rooms': (files) => {
    const crossings = crossingsOf(files);
    const graph = new Map(
      files.map(({ room }) => {
        const targets = crossings.filter((one) => one.room === room).map(({ target }) => roomOf(target));
        return [room, [...new Set(targets)]];
      }),
    );
    return circlesIn(graph);
  },

  'keeps each package in its room': (files) =>
    files.flatMap(({ path, imports }) =>
      imports
        .filter(({ from }) => !from.startsWith('.') && !isBuiltin(from))
        .filter(({ from, isType }) => {
          const door = PACKAGES[packageOf(from)];
          return !isAmong(path, door?.to) && !(isType && isAmong(path, door?.type));
        })
        .map(({ from }) => `${path} -> ${from}`),
    ),

  'lets core reach files and processes only through ports': (files) => {
    const harmless = ['node:crypto', 'node:path', 'node:timers/promises'];
    return files
      .filter(({ room }) => room === 'core')
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ from }) => isBuiltin(from) && !harmless.includes(from))
          .map(({ from }) => `${path} -> ${from}`),
      );
  },

  'uses the process only where that is allowed': (files) =>
    PROCESS.flatMap(({ what, use, of }) =>
      files
        .filter(({ path, text }) => use.test(withoutComments(text)) && !isAmong(path, of))
        .map(({ path }) => `${path} ${what}`),
    ),

  'never imports the process': (files) =>
    files
      .filter(({ imports }) => imports.some(({ from }) => /^(node:)?process$/.test(from)))
      .map(({ path }) => path),

  'loads lazily by import alone': (files) =>
    files
      // An import of sharp costs each child 33 ms more.
      .filter(({ path }) => path !== 'image/vips.ts')
      .filter(({ text }) => /\bcreateRequire\b/.test(withoutComments(text)))
      .map(({ path }) => path),

  'exports each name once': (files) => {
    const places = new Map<string, string[]>();
    for (const { path, text } of files) {
      for (const [, name = ''] of text.matchAll(EXPORTED)) {
        places.set(name, [...(places.get(name) ?? []), path]);
      }
    }
    return [...places]
      .filter(([, paths]) => paths.length > 1)
      .map(([name, paths]) => `${name}: ${paths.join(', ')}`);
  },

  'names settings in hints by their keys': (files) =>
    files.flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(/\{\{(\w+)(?: [^}]*)?\}\}/g)]
        .filter(([, key = '']) => !isKey(key))
        .map(([hint]) => `${path}: ${hint}`),
    ),

  'names no flag in core, adapters and image': (files) =>
    files
      .filter(
        ({ room }) => room === 'core' || room === 'image' || room === 'errors' || room.startsWith('adapters'),
      )
      .flatMap(({ path, text }) =>
        [...withoutComments(text).matchAll(/\bfix: [^\n]*?(--[a-z][\w-]+)/g)]
          .map(([, flag = '']) => flag)
          .filter((flag) => flag !== '--fix' && flag !== '--watch' && flag !== '--allow-scripts')
          .map((flag) => `${path}: ${flag}`),
      ),

  'has no file above 300 lines': (files) =>
    files.filter(({ text }) => text.split('\n').length - 1 > LONGEST).map(({ path }) => path),

  'has no drawer for what found no place': (files) =>
    files
      .filter(({ path }) => path.split(/[/.-]/).some((word) => DRAWERS.test(word.toLowerCase())))
      .map(({ path }) => path),
};

/** What breaks a rule in these files. */
export function violations(rule: string, files: readonly SourceFile[]): string[] {
  const parsed = files.map(({ path, text }) => ({
    path,
    text,
    room: roomOf(path),
    imports: importsOf(text),
  }));
  return RULES[rule]?.(parsed) ?? [`no rule is called ${rule}`];
}
