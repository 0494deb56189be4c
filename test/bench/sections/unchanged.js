import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cuttings } from '../corpus.js';
import { figures } from '../figures.js';
import { interleave, SYNCED } from '../interleave.js';
import { counted, processed, processing } from '../peers/imgtool.js';
import { ask, run, tell } from '../run.js';

const SIZE = { width: 96, height: 72 };

/** A run over what is all done. */
export async function* unchanged({ place, folder, rounds, count = 10_000 }) {
  const [sources, out] = [join(place, 'sources'), join(place, 'out')];
  await cuttings(folder, count, SIZE, sources);
  tell('  the first run over them');
  await processed(sources, out);
  const find = ['find', [sources, out, '-type', 'f', '-printf', '%s %T@ %i\n']];
  const times = await interleave(
    {
      '`find` over sources and outputs, then `node -e 0`': async () =>
        (await run(...find)).ms + (await run(process.execPath, ['-e', '0'])).ms,
      '`imgtool process` again': () => processed(sources, out),
    },
    rounds,
  );
  const counts = await counted(sources, out);
  if (counts.unchanged !== count) throw new Error(`not all unchanged: ${JSON.stringify(counts)}`);
  yield [
    '### Nothing changed',
    '',
    `${count} pictures in folders of 100, ${3 * count} outputs, all as they were left; ${rounds} rounds, milliseconds, whole ` +
      `commands, ${SYNCED}. \`find … -type f -printf '%s %T@ %i\\n'\` asks for all that is compared.`,
    '',
    ...figures(times),
    '',
    await traced(sources, out, join(place, 'trace')),
  ];
}

/** What the kernel saw of it. */
async function traced(sources, out, log) {
  const version = await ask('strace', ['-V'], /version (\S+)/);
  if (version === null)
    return 'Not found here, so not counted: processes started and sources opened (strace).';
  const calls = ['execve', 'execveat', 'clone', 'clone3', '?fork', '?vfork', '?open', 'openat', '?openat2'];
  const args = ['-f', '-qq', '-s', '4096', '-o', log, '-e', `trace=${calls.join(',')}`];
  await run('strace', [...args, process.execPath, ...processing(sources, out)]);
  const lines = readFileSync(log, 'utf8').split('\n');
  const count = (pattern, but) => lines.filter((line) => pattern.test(line) && !but?.test(line)).length;
  // The first is the program itself.
  const programs = count(/ execve(at)?\(/) - 1;
  const processes = count(/ (clone3?|v?fork)\(/, /CLONE_THREAD/);
  const opened = count(/ open(at2?)?\(.*IMG_\d+\.jpg"/);
  if (count(/ openat\(.*cli\.js"/) === 0) throw new Error('strace saw nothing of the program');
  return `By \`strace -f\` ${version}: ${programs} programs and ${processes} processes started, ${opened} sources opened.`;
}
