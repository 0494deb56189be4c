import { ask } from '../run.js';
import { EFFORT, QUALITY, WIDTHS } from '../variants.js';
import { xargs } from './xargs.js';

/** sharp-cli makes one size at a time: a call for each variant. */
export async function sharpCli(cores) {
  const binaries = [process.env.SHARP_CLI, 'sharp'].filter((binary) => binary !== undefined);
  for (const binary of binaries) {
    const version = await ask(binary, ['--version'], /(\d\S*)/);
    if (version === null) continue;
    const script = Object.entries(WIDTHS)
      .map(
        ([variant, width]) =>
          `"$SHARP" -i "$@" -o "$OUT/{name}_${variant}.webp" -f webp -q ${QUALITY} --effort ${EFFORT}` +
          ` --autoOrient resize ${width} --withoutEnlargement`,
      )
      .join(' && ');
    return {
      name: 'sharp-cli',
      how: `\`xargs -P ${cores}\`, a call for each variant of 15 pictures`,
      version,
      run: (corpus, out) => xargs(corpus, out, script, { atATime: cores, each: 15, env: { SHARP: binary } }),
    };
  }
  return { missing: `sharp-cli (no sharp on PATH, nor named by SHARP_CLI)` };
}
