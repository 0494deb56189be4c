import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { run } from '../run.js';

/** In a script: $n becomes the path of the first picture's outputs, without variant and ending. */
export const STEM = `n=\${1##*/} && n="$OUT/\${n%.*}";`;

/**
 * A script for every `each` paths of a corpus, largest first, `atATime` of them: the command as it can be typed, and `run`,
 * which resolves with its wall-clock milliseconds. The script, which holds no single quotes, has the paths as "$@", and $OUT.
 */
export function xargs(script, { atATime, each = 1, env = {} }) {
  const args = ['-0', '-P', `${atATime}`, '-n', `${each}`, 'sh', '-c', script, 'sh'];
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    command: [...settings, 'xargs', ...args.slice(0, -2), `'${script}'`, 'sh < list'].join(' '),
    async run(corpus, out) {
      mkdirSync(out, { recursive: true });
      const list = `${out}.list`;
      writeFileSync(list, corpus.files.map(({ path }) => `${path}\0`).join(''));
      const stdin = openSync(list, 'r');
      try {
        return (await run('xargs', args, { stdin, env: { ...env, OUT: out } })).ms;
      } finally {
        closeSync(stdin);
      }
    },
  };
}
