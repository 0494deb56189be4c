import { statSync } from 'node:fs';
import { join } from 'node:path';
import { corpusOf } from '../corpus.js';
import { mean, table } from '../figures.js';
import { processed } from '../peers/imgtool.js';
import { plain } from '../peers/plain.js';
import { likeness, referenceOf } from '../reference.js';
import { tell } from '../run.js';
import { WIDTHS } from '../variants.js';

const VARIANTS = Object.entries(WIDTHS);

/** Whether decoding once is paid for in quality: against every variant straight from the source. */
export async function* quality({ place, folder, cores }) {
  const { files } = corpusOf(folder);
  const { run } = await plain(cores);
  const without = VARIANTS.flatMap(([name, width]) => ['--variant', `${name}:w=${width},lossless,effort=0`]);
  const made = (name) => join(place, name);
  await processed(folder, made('imgtool-pixels'), without);
  await processed(folder, made('imgtool'));
  await run({ folder }, made('plain-pixels'), ['lossless']);
  await run({ folder }, made('plain'));
  const found = await lookAt(files, made);
  yield [
    '### Quality',
    '',
    `${files.length} photographs. SSIM of luminance, mean over the photographs, of the pixels before encoding and of the ` +
      'encoded outputs, against the source decoded at full size and scaled at once by Lanczos. The plain way decodes ' +
      'the source for every variant, and halves as it does so. Its sizes: those by the ratio of the source.',
    '',
    ...table(
      ['variant', 'way', 'SSIM of pixels', 'least', 'SSIM of outputs', 'least', 'bytes', 'sizes'],
      VARIANTS.flatMap(([variant]) => rowsOf(variant, found)),
    ),
  ];
}

/** By way and variant: likenesses of pixels and outputs, null where the size differs, and bytes. */
async function lookAt(files, made) {
  const found = {};
  for (const [i, { path, name }] of files.entries()) {
    tell(`  looking at picture ${i + 1} of ${files.length}`);
    const reference = await referenceOf(path);
    for (const way of ['imgtool', 'plain']) {
      for (const [variant] of VARIANTS) {
        const file = `${name}_${variant}.webp`;
        found[`${way} ${variant}`] ??= { pixels: [], outputs: [], bytes: 0 };
        const { pixels, outputs } = found[`${way} ${variant}`];
        pixels.push(await likeness(join(made(`${way}-pixels`), file), reference[variant]));
        outputs.push(await likeness(join(made(way), file), reference[variant]));
        found[`${way} ${variant}`].bytes += statSync(join(made(way), file)).size;
      }
    }
  }
  return found;
}

function rowsOf(variant, found) {
  const base = found[`plain ${variant}`];
  const own = found[`imgtool ${variant}`];
  // Where a size differs there is nothing to compare with, on either side.
  const both = base.outputs.flatMap((_, i) =>
    base.outputs[i] === null || own.outputs[i] === null ? [] : [i],
  );
  const rows = { imgtool: own, plain: base };
  const cells = (all) => {
    const alike = both.map((i) => all[i]);
    return [mean(alike).toFixed(4), Math.min(...alike).toFixed(4)];
  };
  const difference = (kind) => mean(both.map((i) => own[kind][i] - base[kind][i]));
  const signed = (value, digits) => `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;
  return [
    ...Object.entries(rows).map(([way, { pixels, outputs, bytes }]) => {
      const others = outputs.filter((each) => each === null).length;
      const sizes = others === 0 ? 'as computed' : `${others} of ${outputs.length} differ`;
      return [variant, way, ...cells(pixels), ...cells(outputs), bytes.toLocaleString('en'), sizes];
    }),
    [
      variant,
      'difference',
      signed(difference('pixels'), 4),
      '',
      signed(difference('outputs'), 4),
      '',
      `${signed((own.bytes / base.bytes - 1) * 100, 1)} %`,
      '',
    ],
  ];
}
