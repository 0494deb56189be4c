import { join } from 'node:path';
import sharp from 'sharp';
import { corpusOf } from '../corpus.js';
import { mean, table } from '../figures.js';
import { processed } from '../peers/imgtool.js';
import { likeness, referenceOf } from '../reference.js';
import { tell } from '../run.js';
import { source } from '../source.js';
import { WIDTHS } from '../variants.js';

const VARIANTS = Object.entries(WIDTHS);

/** Efforts that are measured, and on how many photographs: AVIF above 6 takes half a minute for one. */
const FORMATS = {
  webp: { efforts: [0, 1, 2, 3, 4, 5, 6], most: Infinity },
  avif: { efforts: [0, 1, 2, 3, 4, 5, 6], most: 3 },
  png: { efforts: [1, 4, 7, 10], most: 3 },
};

/** What an encoder's effort buys. */
export async function* effort({ place, folder }) {
  sharp.concurrency(1);
  const { files } = corpusOf(folder);
  const lossless = VARIANTS.flatMap(([name, width]) => ['--variant', `${name}:w=${width},lossless,effort=0`]);
  await processed(folder, join(place, 'pixels'), lossless);
  const rows = [];
  for (const [format, { efforts, most }] of Object.entries(FORMATS)) {
    const taken = spread(files, most);
    rows.push(...(await rowsOf(format, efforts, taken, join(place, 'pixels'))));
  }
  yield [
    '### Effort',
    '',
    `Encoding the ${VARIANTS.length} variants of a photograph (${Object.values(WIDTHS).join(', ')} pixels across) by one thread, ` +
      'mean over the photographs; time and bytes against the default effort. SSIM: of luminance, against the source ' +
      'decoded at full size and scaled at once.',
    '',
    ...table(['format', 'effort', 'photographs', 'ms', 'time', 'bytes', 'SSIM'], rows),
  ];
}

/** So many, of all sizes. */
function spread(files, most) {
  const step = Math.max(1, Math.floor(files.length / most));
  return files.filter((_, i) => i % step === 0).slice(0, most);
}

async function rowsOf(format, efforts, files, pixels) {
  const { fullVariant } = await source('variants/fields');
  const { encode } = await source('image/steps/encode');
  const variants = efforts.map((each) => fullVariant({ name: 'any', format, effort: each }));
  const found = variants.map(() => ({ ms: [], bytes: 0, likenesses: [] }));
  for (const [i, { path, name }] of files.entries()) {
    tell(`  ${format}, picture ${i + 1} of ${files.length}`);
    const reference = await referenceOf(path);
    const bases = await Promise.all(
      VARIANTS.map(([variant]) => rawOf(join(pixels, `${name}_${variant}.webp`))),
    );
    for (const [k, variant] of variants.entries()) await measure(encode, variant, bases, reference, found[k]);
  }
  const standard = found[efforts.indexOf(fullVariant({ name: 'any', format }).effort)];
  const percent = (part, whole) => `${((part / whole) * 100).toFixed(0)} %`;
  return found.map((one, k) => [
    format,
    one === standard ? `${efforts[k]} (default)` : efforts[k],
    files.length,
    mean(one.ms).toFixed(0),
    percent(mean(one.ms), mean(standard.ms)),
    percent(one.bytes, standard.bytes),
    mean(one.likenesses).toFixed(4),
  ]);
}

/** By the program's own step, which knows what an effort means to a format. */
async function measure(encode, variant, bases, reference, found) {
  let ms = 0;
  for (const [i, { data, info }] of bases.entries()) {
    const started = performance.now();
    const bytes = (await encode(sharp(data, { raw: info }), variant, null)).data;
    ms += performance.now() - started;
    found.bytes += bytes.length;
    found.likenesses.push(await likeness(bytes, reference[VARIANTS[i][0]]));
  }
  found.ms.push(ms);
}

const rawOf = (path) => sharp(path).raw().toBuffer({ resolveWithObject: true });
