import { has, type Options } from './imgtool.ts';

/** Whether this machine has the commands that open a terminal. */
export const hasTerminal = has('script') && has('stty');

/** Options for a binary on a terminal of its own: its standard output has both streams. No word needs quoting. */
export function onTerminal(options: Options = {}): Options {
  const script = `exec script -qec "stty cols 120 rows 24; exec $*" /dev/null </dev/null`;
  const before = ['sh', '-c', script, 'sh'];
  return { ...options, before, env: { ...options.env, TERM: 'xterm-256color', LANG: 'C.UTF-8' } };
}
