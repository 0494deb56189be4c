import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, vi } from 'vitest';
import type { BatchFinished, BatchState, Counts, Event, JobEvent } from '../../src/model.ts';
import { makePlace } from '../place.ts';
import { readerOf } from './stream.ts';

/** Runs the real binary in a temporary folder. `npm run build` must come first. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const BINARY = fileURLToPath(new URL('../../bin/imgtool.js', import.meta.url));

/** Two small variants, enough to see what happens to each. */
export const SMALL = ['--variant', 'a:w=40', '--variant', 'b:w=20'];

/** A working folder with its own index. */
export interface Place {
  readonly cwd: string;
  readonly index: string;
  /** Absolute path of a path below the working folder. */
  at(...parts: string[]): string;
  /** Writes a file and creates its folder. Returns the absolute path. */
  put(path: string, bytes: Uint8Array | string): string;
  /** Names of the files below a folder, sorted. */
  files(folder: string): string[];
  run(args: readonly string[], options?: Options): Promise<Outcome>;
  /** Runs `process` over `photos` into `out` with JSON lines, and with two small variants by default. */
  process(...args: string[]): Promise<Outcome>;
  start(args: readonly string[], options?: Options): Session;
  status(id: string, ...args: string[]): Promise<StatusDocument>;
}

export interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  /** The command before `node bin/imgtool.js …`, such as a tracer or a shell. */
  readonly before?: readonly string[];
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running binary in its own process group, as a shell starts it. */
export interface Session {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves with the first line of a stream that matches. Rejects if the process ends without such a line. */
  line(wanted: RegExp, stream?: 'stdout' | 'stderr'): Promise<string>;
  /** Resolves with the first event that matches. Rejects as above. */
  event(type: Event['type']): Promise<Event>;
  /** Resolves with this many events of a type, the first ones. */
  events<T extends Event['type']>(type: T, count: number): Promise<Extract<Event, { type: T }>[]>;
  /** Resolves with this many finished jobs, the first ones. */
  jobs(count: number): Promise<JobEvent[]>;
  /** Resolves when a watch has finished this many scans since the call. The second scan began after the call. */
  scans(count?: number): Promise<void>;
  /** The standard output until now. */
  said(): Promise<Pick<Outcome, 'stdout'>>;
  /** Sends a signal to the process alone, or to its whole group as a terminal does. */
  signal(signal: NodeJS.Signals, to?: 'process' | 'group'): void;
  readonly ended: Promise<Outcome>;
}

export interface StatusDocument {
  readonly v: number;
  readonly batch: BatchDocument;
  readonly jobs: readonly (Omit<JobEvent, 'type' | 'batch'> & { readonly finishedAt?: string })[];
}

export interface BatchDocument {
  readonly id: string;
  readonly state: BatchState;
  readonly total: number;
  readonly counts: Counts;
  readonly passedOver: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

export function openPlace(): Place {
  const root = makePlace();
  const cwd = join(root, 'work');
  const index = join(root, 'state', 'imgtool', 'index.db');
  mkdirSync(cwd);
  const at = (...parts: string[]) => join(cwd, ...parts);
  const start = (args: readonly string[], options: Options = {}) =>
    startIn(options.cwd ?? cwd, environmentIn(root, options.env), args, options);
  const run = (args: readonly string[], options?: Options) => start(args, options).ended;
  return {
    cwd,
    index,
    at,
    put(path, bytes) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), bytes);
      return at(path);
    },
    files: (folder) => filesBelow(at(folder)),
    run,
    process(...args) {
      const chosen = args.some((arg) => arg === '--variant' || arg === '--preset') ? [] : SMALL;
      const out = args.includes('--out') ? [] : ['--out', 'out'];
      const inputs = args.some((arg) => arg === '--' || arg === '--files-from') ? [] : ['photos'];
      return run(['process', '--json', ...chosen, ...out, ...args, ...inputs]);
    },
    start,
    async status(id, ...args) {
      const { stdout, stderr } = await run(['status', id, '--json', ...args]);
      expect(stderr).toBe('');
      return JSON.parse(stdout) as StatusDocument;
    },
  };
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Parses every line of a JSON stream as an event. */
export function eventsOf({ stdout }: Pick<Outcome, 'stdout'>): Event[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

export function jobsOf(outcome: Pick<Outcome, 'stdout'>): JobEvent[] {
  return eventsOf(outcome).filter((event) => event.type === 'job');
}

/** The event of one source. */
export function jobOf(outcome: Outcome, source: string): JobEvent {
  const found = jobsOf(outcome).filter((job) => job.source === source);
  expect(found, `events of ${source} in ${outcome.stdout}${outcome.stderr}`).toHaveLength(1);
  return found[0]!;
}

/** The last line of `--json`, which also contains the exit code. */
interface FinishedLine extends BatchFinished {
  readonly exit: number;
}

export function finishedOf(outcome: Outcome): FinishedLine {
  const last = eventsOf(outcome).at(-1);
  if (last?.type !== 'batch.finished')
    throw new Error(`no batch.finished: ${outcome.stdout}${outcome.stderr}`);
  return last as FinishedLine;
}

/** The error that ended a command with `--json`: the only object on standard output. */
export function errorOf({
  stdout,
  stderr,
  code,
}: Outcome): Readonly<Record<'code' | 'message' | 'fix', string>> {
  expect(stdout, stderr).toMatch(/^\{.*\}\n$/);
  const document = JSON.parse(stdout);
  expect(document).toEqual({ v: 1, type: 'error', error: document.error, exit: code });
  expect(stderr).toContain(`error: ${document.error.message}\n`);
  return document.error;
}

/** The counts, without the states that have no jobs. */
export function countsOf(outcome: Outcome): Partial<Counts> {
  return Object.fromEntries(Object.entries(finishedOf(outcome).counts).filter(([, count]) => count > 0));
}

/**
 * Keeps the tester's settings, terminal and build server out of the tests. The default is one picture at a time on
 * every machine, so of two copies the first is always read first.
 */
function environmentIn(root: string, more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: join(root, 'home'),
    XDG_STATE_HOME: join(root, 'state'),
    XDG_CONFIG_HOME: join(root, 'config'),
    LANG: 'C.UTF-8',
    IMGTOOL_JOBS: '1',
    ...more,
  };
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) killGroup(child, 'SIGKILL');
});

function startIn(cwd: string, env: NodeJS.ProcessEnv, args: readonly string[], options: Options): Session {
  const [command = '', ...rest] = [...(options.before ?? []), process.execPath, BINARY, ...args];
  const child = spawn(command, rest, { cwd, env, detached: true });
  running.add(child);
  const out = readerOf(child.stdout);
  const err = readerOf(child.stderr);
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ stdout: out.text(), stderr: err.text(), code, signal });
    });
  });
  const lines = async (wanted: RegExp, count: number, stream: 'stdout' | 'stderr' = 'stdout') => {
    const found = await (stream === 'stdout' ? out : err).lines(wanted, count);
    if (found !== undefined) return found;
    throw new Error(`ended without ${count} of ${wanted}: ${out.text()}${err.text()}`);
  };
  const line = async (wanted: RegExp, stream?: 'stdout' | 'stderr') => (await lines(wanted, 1, stream))[0]!;
  const events = async <T extends Event['type']>(type: T, count: number) =>
    (await lines(new RegExp(`"type":"${type}"`), count)).map(
      (one) => JSON.parse(one) as Extract<Event, { type: T }>,
    );
  const said = async () => {
    // The stream delivers what is in the pipe in the next turn of the event loop.
    for (let turn = 0; turn < 3; turn++) await breathe();
    return { stdout: out.text().slice(0, out.text().lastIndexOf('\n') + 1) };
  };
  return {
    pid: child.pid ?? 0,
    child,
    line,
    event: async (type) => (await events(type, 1))[0]!,
    events,
    jobs: (count) => events('job', count),
    async scans(count = 2) {
      const before = eventsOf(await said()).filter(({ type }) => type === 'scanned').length;
      await events('scanned', before + count);
    },
    said,
    signal(signal, to = 'process') {
      if (to === 'group') killGroup(child, signal);
      else child.kill(signal);
    },
    ended,
  };
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // The process has already ended.
  }
}

/** Whether this machine has a command. */
export function has(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      return readFileSync(join(folder, command)).length > 0;
    } catch {
      return false;
    }
  });
}
