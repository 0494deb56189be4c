import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { run } from '../run.js';

/** In a script: $n becomes the path of the first picture's outputs, without variant and ending. */
export const STEM = `n=\${1##*/} && n="$OUT/\${n%.*}";`;

/**
 * Wall-clock milliseconds of `xargs -0 -P atATime -n each sh -c script sh`, given the paths of a corpus, largest first.
 * The script has them as "$@", and $OUT.
 */
export async function xargs(corpus, out, script, { atATime, each = 1, env = {} }) {
  mkdirSync(out, { recursive: true });
  const list = `${out}.list`;
  writeFileSync(list, corpus.files.map(({ path }) => `${path}\0`).join(''));
  const stdin = openSync(list, 'r');
  try {
    const args = ['-0', '-P', `${atATime}`, '-n', `${each}`, 'sh', '-c', script, 'sh'];
    return (await run('xargs', args, { stdin, env: { ...env, OUT: out } })).ms;
  } finally {
    closeSync(stdin);
  }
}
