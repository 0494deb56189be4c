/** The rules of the architecture. They are functions of files, so tests can pass invented files. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { isKey } from '../src/config/settings.ts';

/** A file of src. */
export interface SourceFile {
  /** Path below src, with `/`. */
  readonly path: string;
  readonly text: string;
}

interface Parsed extends SourceFile {
  readonly area: string;
  readonly imports: readonly Import[];
}

/** The allowed imports of an area: whole areas or paths, and those that may be imported only with `type`. */
interface Allowed {
  readonly to: readonly string[];
  readonly type?: readonly string[];
}

/** The allowed imports of each area. An area is a file or folder of src, or both; each adapter is its own area. */
const ALLOWED: Readonly<Record<string, Allowed>> = {
  errors: { to: [] },
  variants: { to: ['errors'] },
  model: { to: ['errors'], type: ['variants'] },
  ports: { to: [], type: ['model'] },
  config: { to: ['variants', 'model', 'errors'] },
  image: { to: ['variants', 'model', 'errors'] },
  core: { to: ['variants', 'model', 'errors'], type: ['ports'] },
  // Shared knowledge of the adapters that use a disk.
  'adapters/file-systems': { to: [] },
  'adapters/syncs': { to: [] },
  // What each record in SQLite needs.
  'adapters/sqlite': { to: ['errors', 'adapters/file-systems', 'adapters/syncs'] },
  adapters: { to: ['model', 'errors', 'adapters/file-systems', 'adapters/syncs'], type: ['ports'] },
  'adapters/store': { to: ['model', 'errors', 'adapters/sqlite'], type: ['ports'] },
  'adapters/sqlite-index': {
    to: ['model', 'errors', 'adapters/file-systems', 'adapters/sqlite'],
    type: ['ports'],
  },
  // It talks to image/worker across a process boundary. That end declares the messages once.
  'adapters/worker-pool': { to: ['model', 'errors'], type: ['ports', 'image/protocol'] },
  report: { to: ['model'], type: ['serve/events'] },
  serve: { to: ['core', 'variants', 'model', 'errors'], type: ['ports'] },
  http: { to: ['serve', 'image/detect', 'variants', 'model', 'errors'], type: ['ports'] },
  // It opens the adapters of the service behind their ports.
  'serve/open': { to: ['serve', 'engine', 'adapters', 'model', 'errors'], type: ['ports'] },
  engine: { to: ['core', 'adapters', 'model'], type: ['ports'] },
  history: { to: ['core', 'adapters', 'model'], type: ['ports'] },
  maintenance: { to: ['core', 'adapters', 'model'] },
  library: { to: ['engine', 'history', 'config', 'model', 'errors'] },
  commands: {
    to: [
      'engine',
      'history',
      'maintenance',
      'serve/open',
      'http',
      'config',
      'variants',
      'report',
      'model',
      'errors',
    ],
    type: ['ports', 'serve'],
  },
  cli: { to: ['commands', 'config', 'report', 'errors'], type: ['model'] },
  index: { to: ['library', 'errors'], type: ['model'] },
};

/** The areas that may import each package, and those that may import only its types. */
const PACKAGES: Readonly<Record<string, Allowed>> = {
  sharp: { to: ['image'] },
  'file-type': { to: ['image'] },
  'libheif-js': { to: ['image'] },
  sax: { to: ['image'] },
  'better-sqlite3': {
    to: ['adapters/sqlite'],
    type: ['adapters/sqlite-index/maintenance', 'adapters/store'],
  },
  fastify: { to: ['http'] },
  '@fastify/cors': { to: ['http'] },
  '@fastify/multipart': { to: ['http'] },
  '@fastify/send': { to: ['http'] },
  '@fastify/swagger': { to: ['http'] },
  jose: { to: ['http'] },
  'prom-client': { to: ['http'] },
  picomatch: { to: ['adapters/local-sources'] },
  chokidar: { to: ['adapters/local-sources'] },
  'p-limit': { to: ['core', 'adapters/local-storage'] },
  chalk: { to: ['report'] },
  ora: { to: ['report'] },
  'cli-progress': { to: ['report'] },
  'log-update': { to: ['report'] },
  'string-width': { to: ['report'] },
  // `config` adds flags to the commands that `cli` defines.
  commander: { to: ['cli'], type: ['config'] },
  yaml: { to: ['config'] },
  'fastest-levenshtein': { to: ['variants'] },
};

/** The areas or files that may use each feature of the process. */
const PROCESS: readonly { readonly what: string; readonly use: RegExp; readonly of: readonly string[] }[] = [
  {
    what: 'writes to the terminal',
    use: /\bprocess\.(stdout|stderr)\b/,
    of: ['report', 'cli'],
  },
  { what: 'reads the arguments', use: /\bprocess\.(argv|argv0|execArgv)\b/, of: ['cli'] },
  { what: 'sets the exit code or exits', use: /\bprocess\.(exitCode|exit|reallyExit|abort)\b/, of: ['cli'] },
  // The rendering child listens for signals in order to ignore them, and ends itself by one.
  {
    what: 'receives or sends signals',
    use: /\bprocess\.kill\b|\bprocess\.(on|once|off|\w+Listeners?)\((?!\s*['"](?!SIG))/,
    of: ['cli', 'image/worker', 'image/heic/examine'],
  },
  // The pool passes the environment on to its children without reading it.
  { what: 'reads the environment', use: /\bprocess\.env\b/, of: ['config', 'adapters/worker-pool/child'] },
  { what: 'uses the console', use: /\bconsole\.\w/, of: [] },
];

const LONGEST = 300;
const VAGUE_NAMES = /^(util|helper|manager|misc|common)s?$/;

interface Import {
  readonly from: string;
  /** Removed by the compiler. `import { type A }` is not removed: it still runs the file. */
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

function areaOf(path: string): string {
  const [first = '', second = ''] = path.replace(/\.ts$/, '').split('/');
  if (first === 'serve' && second === 'open') return 'serve/open';
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

/** Imports from other areas, with the path of their target. */
function crossingsOf(files: readonly Parsed[]) {
  return files.flatMap(({ path, area, imports }) =>
    imports
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from, isType }) => ({ path, area, isType, target: resolved(path, from) }))
      .filter(({ target }) => areaOf(target) !== area),
  );
}

/** The cycles of a graph, each once, starting at the cycle's first node in alphabetical order. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) {
      const cycle = path.slice(at);
      const first = cycle.indexOf([...cycle].sort()[0] ?? '');
      found.add([...cycle.slice(first), ...cycle.slice(0, first)].join(' -> '));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return [...found];
}

/** Exported names, and the names of all types: a reader who searches for one finds one thing. */
const NAMED =
  /^(?:export (?:declare )?(?:async )?(?:function\*?|const|class|interface|type|abstract class)|(?:interface|type|class|abstract class)) ([A-Za-z0-9_]+)/gm;

/** All rules by name. A rule returns its violations as texts. */
export const RULES: Readonly<Record<string, (files: readonly Parsed[]) => string[]>> = {
  'has only known areas': (files) =>
    files.filter(({ area }) => !(area in ALLOWED) && !area.startsWith('adapters/')).map(({ path }) => path),

  'lets each area import only what the table allows': (files) =>
    crossingsOf(files)
      .filter(({ area, isType, target }) => {
        const allowed = ALLOWED[area] ?? ALLOWED.adapters;
        return !isAmong(target, allowed?.to) && !(isType && isAmong(target, allowed?.type));
      })
      .map(({ path, isType, target }) => `${path} ->${isType ? ' type' : ''} ${target}`),

  'has no cycle of files, type imports included': (files) => {
    const known = new Set(files.map(({ path }) => path));
    const graph = new Map(
      files.map(({ path, imports }) => {
        const targets = imports.map(({ from }) => resolved(path, from));
        return [path, targets.filter((target) => known.has(target))];
      }),
    );
    return cyclesIn(graph);
  },

  'has no cycle of areas': (files) => {
    const crossings = crossingsOf(files);
    const graph = new Map(
      files.map(({ area }) => {
        const targets = crossings.filter((one) => one.area === area).map(({ target }) => areaOf(target));
        return [area, [...new Set(targets)]];
      }),
    );
    return cyclesIn(graph);
  },

  'keeps each package in its area': (files) =>
    files.flatMap(({ path, imports }) =>
      imports
        .filter(({ from }) => !from.startsWith('.') && !isBuiltin(from))
        .filter(({ from, isType }) => {
          const allowed = PACKAGES[packageOf(from)];
          return !isAmong(path, allowed?.to) && !(isType && isAmong(path, allowed?.type));
        })
        .map(({ from }) => `${path} -> ${from}`),
    ),

  'lets core reach files and processes only through ports': (files) => {
    const harmless = ['node:crypto', 'node:path', 'node:timers/promises'];
    return files
      .filter(({ area }) => area === 'core')
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ from }) => isBuiltin(from) && !harmless.includes(from))
          .map(({ from }) => `${path} -> ${from}`),
      );
  },

  'uses the process only in the allowed areas': (files) =>
    PROCESS.flatMap(({ what, use, of }) =>
      files
        .filter(({ path, text }) => use.test(withoutComments(text)) && !isAmong(path, of))
        .map(({ path }) => `${path} ${what}`),
    ),

  'never imports node:process': (files) =>
    files
      .filter(({ imports }) => imports.some(({ from }) => /^(node:)?process$/.test(from)))
      .map(({ path }) => path),

  'loads lazily only with import()': (files) =>
    files
      // An import of sharp costs each child 33 ms more, and an import of the SQLite binding each start 3 ms.
      .filter(({ path }) => !['image/vips.ts', 'adapters/sqlite/binding.ts'].includes(path))
      .filter(({ text }) => /\bcreateRequire\b/.test(withoutComments(text)))
      .map(({ path }) => path),

  'has each type and each exported name once': (files) => {
    const places = new Map<string, string[]>();
    for (const { path, text } of files) {
      for (const [, name = ''] of text.matchAll(NAMED)) {
        places.set(name, [...(places.get(name) ?? []), path]);
      }
    }
    return [...places]
      .filter(([, paths]) => paths.length > 1)
      .map(([name, paths]) => `${name}: ${paths.join(', ')}`);
  },

  'names settings in hints by their keys, and commands as such': (files) =>
    files.flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(/\{\{(\w+)(?: [^}]*)?\}\}/g)]
        .filter(([, key = '']) => !isKey(key) && key !== 'command')
        .map(([hint]) => `${path}: ${hint}`),
    ),

  'names no flag in core, adapters and image': (files) =>
    files
      .filter(
        ({ area }) => area === 'core' || area === 'image' || area === 'errors' || area.startsWith('adapters'),
      )
      .flatMap(({ path, text }) =>
        [...withoutComments(text).matchAll(/\b(?:fix: |fix = |unusable\()[^\n]*?(--[a-z][\w-]+)/g)]
          .map(([, flag = '']) => flag)
          .filter((flag) => flag !== '--fix' && flag !== '--watch' && flag !== '--allow-scripts')
          .map((flag) => `${path}: ${flag}`),
      ),

  'has no file above 300 lines': (files) =>
    files.filter(({ text }) => text.split('\n').length - 1 > LONGEST).map(({ path }) => path),

  'has no file or folder for unrelated things': (files) =>
    files
      .filter(({ path }) => path.split(/[/.-]/).some((word) => VAGUE_NAMES.test(word.toLowerCase())))
      .map(({ path }) => path),
};

/** Returns the violations of a rule in these files. */
export function violations(rule: string, files: readonly SourceFile[]): string[] {
  const parsed = files.map(({ path, text }) => ({
    path,
    text,
    area: areaOf(path),
    imports: importsOf(text),
  }));
  return RULES[rule]?.(parsed) ?? [`no rule is called ${rule}`];
}
