import { mkdirSync } from 'node:fs';
import { ask, run } from '../run.js';
import { EFFORT, QUALITY, WIDTHS } from '../variants.js';
import { xargs } from './xargs.js';

/** It makes one size at a time: a call for each variant of all pictures. */
export function sharpCli() {
  const script = calls('"$IN/*.jpg"');
  return way('sharp-cli', 'a call for each variant of all pictures', (SHARP) => ({
    command: script,
    async run({ folder }, out) {
      mkdirSync(out, { recursive: true });
      return (await run('sh', ['-c', script], { env: { SHARP, IN: folder, OUT: out } })).ms;
    },
  }));
}

/** On every core. */
export function sharpCliTuned(cores) {
  return way('sharp-cli, tuned', 'a call for each variant of 15 pictures', (SHARP) =>
    xargs(calls('"$@"'), { atATime: cores, each: 15, env: { SHARP } }),
  );
}

function calls(from) {
  const format = `-f webp -q ${QUALITY} --effort ${EFFORT} --autoOrient`;
  return Object.entries(WIDTHS)
    .map(
      ([variant, width]) =>
        `"$SHARP" -i ${from} -o "$OUT/{name}_${variant}.webp" ${format} resize ${width} --withoutEnlargement`,
    )
    .join(' && ');
}

async function way(name, how, made) {
  const binaries = [process.env.SHARP_CLI, 'sharp'].filter((binary) => binary !== undefined);
  for (const binary of binaries) {
    const version = await ask(binary, ['--version'], /(\d\S*)/);
    if (version === null) continue;
    const { command, run } = made(binary);
    return {
      name,
      how,
      version,
      run,
      command: command.replace(`SHARP=${binary} `, '').replaceAll('"$SHARP"', 'sharp'),
    };
  }
  return { missing: `${name} (no sharp on PATH, nor named by SHARP_CLI)` };
}
