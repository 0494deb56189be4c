import { readFileSync } from 'node:fs';
import { has, type Outcome, type Place } from '../cli/imgtool.ts';

/** The system calls of a command, as strace reports them. */

/** The calls that change files or names, and the calls that open files. */
const CALLS =
  'open,openat,openat2,creat,fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,pwrite64,truncate,ftruncate,chmod,fchmod,fchmodat,chown,fchown,fchownat,utimensat,setxattr,fsetxattr,copy_file_range,sendfile';

export const canTrace = has('strace');
if (!canTrace) console.warn('not traced, since strace is not there');

export interface Call {
  readonly name: string;
  /** All its arguments in strace's format, with the path of each descriptor. */
  readonly args: string;
  /** It returned no error. */
  readonly ok: boolean;
  /** Its position among the beginnings and ends of all calls. */
  readonly begun: number;
  readonly done: number;
}

let traces = 0;

/** Prepares a trace: what comes before the command, and how to read all calls of all its processes once it has ended. */
export function openTrace(place: Place, calls = CALLS) {
  const file = place.at('..', `calls-${traces++}.txt`);
  const before = ['strace', '-f', '-y', '-s', '9000', '-o', file, '-e', `trace=${calls}`];
  return { before, calls: () => callsIn(readFileSync(file, 'utf8')) };
}

/** Runs imgtool under strace. Returns its outcome and all calls of all its processes. */
export async function traced(place: Place, args: readonly string[], calls = CALLS) {
  const trace = openTrace(place, calls);
  const outcome: Outcome = await place.run(args, { before: trace.before });
  return { outcome, calls: trace.calls() };
}

/** Whether the call opened its file for more than reading. */
export function opensToWrite({ name, args }: Call): boolean {
  return name === 'creat' || (/^open/.test(name) && /O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/.test(args));
}

/** The path that an open call names. */
export function pathOf({ args }: Call): string {
  return JSON.parse(/"(?:[^"\\]|\\.)*"/.exec(args)?.[0] ?? '""') as string;
}

function callsIn(text: string): Call[] {
  const calls: Call[] = [];
  /** A call that a call of another thread has interrupted in the log. */
  const open = new Map<string, { name: string; args: string; begun: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, thread = '', said = ''] = /^(\d+)\s+(.*)$/s.exec(line) ?? [];
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(said);
    const whole = /^(\w+)\((.*)$/.exec(said);
    const begun = resumed === null ? undefined : open.get(thread);
    const name = resumed?.[1] ?? whole?.[1];
    if (name === undefined) continue;
    const args = (begun?.args ?? '') + (resumed?.[2] ?? whole?.[2] ?? '');
    if (args.endsWith('<unfinished ...>')) {
      open.set(thread, { name, args: args.slice(0, -'<unfinished ...>'.length), begun: at });
      continue;
    }
    calls.push({ name, args, ok: !/\) += -1 /.test(args), begun: begun?.begun ?? at, done: at });
  }
  return calls;
}
