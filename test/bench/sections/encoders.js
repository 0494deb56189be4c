import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { corpusOf } from '../corpus.js';
import { median, table } from '../figures.js';
import { graphics } from '../graphics.js';
import { ask, run, tell } from '../run.js';
import { source } from '../source.js';
import { ssim } from '../ssim.js';

const WIDTH = 1200;

/** Pictures are measured scaled to `WIDTH`, and as they are: at most so much of their middle. */
const PART = { width: 900, height: 600 };

/** SSIM is measured in the middle of a picture. */
const WINDOW = { width: 600, height: 400 };

/** Colours of every so many pixels are compared: each takes a microsecond. */
const STEP = 23;

const encode = (fields) => ({ fields });
/** A program that makes a file of another one. It gets pixels as PPM or PGM, which cost nothing to decode, or as PNG. */
const program = (command, from, args) => ({ command, from, args });

const avifenc = (level) =>
  program('avifenc', 'png', (from, to) => [
    ...['-j', '1', '-s', '7', '-y', '444', '--min', '0', '--max', '63', '-a', 'end-usage=q'],
    ...['-a', `cq-level=${level}`, from, to],
  ]);

/** Ways of encoding the same pixels, by format. The others of a format are compared with its first one. */
const WAYS = {
  jpeg: {
    'jpeg, baseline (first version)': encode({ format: 'jpeg', progressive: false, chroma: '420' }),
    'jpeg (default)': encode({ format: 'jpeg' }),
    'jpeg effort=1': encode({ format: 'jpeg', effort: 1 }),
    'jpeg effort=2': encode({ format: 'jpeg', effort: 2 }),
    'jpeg chroma=444': encode({ format: 'jpeg', chroma: '444' }),
    'cjpeg -quality 85 -optimize -progressive': program('cjpeg', 'pnm', (from, to) => [
      ...['-quality', '85', '-optimize', '-progressive', '-outfile', to, from],
    ]),
  },
  webp: {
    'webp (default, as in the first version)': encode({}),
    'webp effort=2': encode({ effort: 2 }),
    'webp chroma=sharp': encode({ chroma: 'sharp' }),
    'webp lossless': encode({ lossless: true }),
    'cwebp -q 85 -m 4': program('cwebp', 'png', (from, to) => [
      ...['-quiet', '-q', '85', '-m', '4', from, '-o', to],
    ]),
  },
  avif: {
    'avif (default, as in the first version)': encode({ format: 'avif' }),
    'avif effort=3': encode({ format: 'avif', effort: 3 }),
    'avif bitdepth=10': encode({ format: 'avif', bitdepth: 10 }),
    'avif chroma=420': encode({ format: 'avif', chroma: '420' }),
    'avifenc -s 7, cq-level 25': avifenc(25),
    'avifenc -s 7, cq-level 32': avifenc(32),
  },
  png: {
    'png (first version)': {
      pipeline: (picture) => picture.png({ compressionLevel: 6, adaptiveFiltering: true }),
    },
    'png effort=4': encode({ format: 'png', effort: 4 }),
    'png (default)': encode({ format: 'png' }),
    'optipng -o2': program('optipng', 'png', (from, to) => ['-quiet', '-o2', from, '-out', to]),
  },
};

/** Ways that only show what a field does: measured at one size. */
const isSpecial = (name) => /effort|chroma|bitdepth|lossless/.test(name);

/** What each encoder costs and buys, beside the programs of other projects. */
export async function* encoders({ place, folder, count = Infinity }) {
  sharp.concurrency(1);
  // The program's own modules block SVG, so graphics come first.
  const drawn = await graphics();
  const { encode } = await source('image/steps/encode');
  const { fullVariant } = await source('variants/fields');
  const { meanDeltaE } = await source('image/delta-e', 'test');
  const tools = { encode, fullVariant, meanDeltaE, place };
  const photographs = corpusOf(folder).files.slice(0, count);
  const kinds = {
    photographs: photographs.map(
      ({ path }) =>
        () =>
          sharp(path).autoOrient(),
    ),
    graphics: drawn.map(
      ({ png }) =>
        () =>
          sharp(png),
    ),
  };
  for (const [kind, all] of Object.entries(kinds)) {
    if (all.length === 0) continue;
    const scaled = await measured(`${kind}, scaled`, all.map(toWidth), tools, () => true);
    const own = await measured(`${kind}, as they are`, all.map(toPart), tools, (name) => !isSpecial(name));
    yield [
      `### Encoders: ${all.length} ${kind}`,
      '',
      'Medians over the pictures. Time (of CPU) and bytes are relative to the first way of the format, picture by ' +
        'picture. The times of programs include their start and reading the input.',
      '',
      ...table(
        ['way', `${WIDTH} px: time`, 'bytes', 'SSIM', 'ΔE2000', 'same size: time', 'bytes', 'SSIM', 'ΔE2000'],
        [...scaled].map(([name, cells]) => [name, ...cells, ...(own.get(name) ?? ['', '', '', ''])]),
      ),
    ];
  }
}

const toWidth = (open) => () => rawOf(open().resize({ width: WIDTH, fastShrinkOnLoad: false }));
const toPart = (open) => async () => middle(await rawOf(open()), PART);

async function middle({ data, info }, most) {
  const [width, height] = [Math.min(info.width, most.width), Math.min(info.height, most.height)];
  const [left, top] = [(info.width - width) >> 1, (info.height - height) >> 1];
  return rawOf(sharp(data, { raw: info }).extract({ left, top, width, height }));
}

/** The cells of each way that is taken: time, bytes, SSIM, ΔE2000. */
async function measured(kind, pictures, tools, isTaken) {
  const found = new Map();
  for (const [i, open] of pictures.entries()) {
    tell(`  ${kind}, picture ${i + 1} of ${pictures.length}`);
    const original = await open();
    const inputs = await inputsOf(original, tools.place);
    const before = await seen(sharp(original.data, { raw: original.info }));
    for (const ways of Object.values(WAYS)) {
      let first = null;
      for (const [name, way] of Object.entries(ways).filter(([name]) => isTaken(name))) {
        const made = await make(way, original, inputs, tools);
        if (made === null) continue;
        const one = await judge(made, before, tools);
        first ??= one;
        const relative = { ...one, ms: one.ms / first.ms, bytes: one.bytes / first.bytes };
        found.set(name, [...(found.get(name) ?? []), relative]);
      }
    }
  }
  return new Map([...found].map(([name, all]) => [name, cellsOf(all)]));
}

function cellsOf(all) {
  const of = (key) => median(all.map((one) => one[key]));
  return [of('ms').toFixed(2), of('bytes').toFixed(3), of('ssim').toFixed(4), of('deltaE').toFixed(2)];
}

/** The pixels as files for other programs. */
async function inputsOf({ data, info }, place) {
  const [pnm, png] = [join(place, 'pixels.pnm'), join(place, 'pixels.png')];
  const opaque = await opaqueOf(data, info);
  writeFileSync(pnm, Buffer.concat([Buffer.from(`P6 ${info.width} ${info.height} 255\n`), opaque.data]));
  await sharp(data, { raw: info }).png({ compressionLevel: 6 }).toFile(png);
  return { pnm, png };
}

/** Prints the seconds of CPU that a command takes. */
const TIMED = '{ TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1; } 2>&1';

/** Bytes and milliseconds of CPU; null without the program. */
async function make({ fields, pipeline, command, from, args }, { data, info }, inputs, tools) {
  if (command === undefined) {
    const variant = fields && tools.fullVariant({ name: 'any', width: WIDTH, ...fields });
    const pixels = variant?.format === 'jpeg' ? await opaqueOf(data, info) : { data, info };
    const picture = sharp(pixels.data, { raw: pixels.info });
    const before = process.cpuUsage();
    const bytes = variant
      ? (await tools.encode(picture, variant, null)).data
      : await pipeline(picture).toBuffer();
    const { user, system } = process.cpuUsage(before);
    return { bytes, ms: (user + system) / 1000 };
  }
  if ((await ask('which', [command], /(.+)/)) === null) return null;
  const to = join(tools.place, 'made');
  const { stdout } = await run('bash', ['-c', TIMED, 'bash', command, ...args(inputs[from], to)], {
    capture: true,
  });
  const [user, system] = stdout.trim().split(' ').map(Number);
  const bytes = readFileSync(to);
  rmSync(to);
  return { bytes, ms: (user + system) * 1000 };
}

async function judge({ bytes, ms }, before, { meanDeltaE }) {
  const after = await seen(sharp(bytes));
  const likeness = ssim(luminance(before.data), luminance(after.data), before.info);
  const deltaE = meanDeltaE(sample(before.data), sample(after.data));
  return { bytes: bytes.length, ms, ssim: likeness, deltaE };
}

/** The middle of a picture on white. */
async function seen(picture) {
  const { data, info } = await rawOf(picture);
  const opaque = await opaqueOf(data, info);
  return middle(opaque, WINDOW);
}

/** 8-bit sRGB with 3 or 4 channels. */
const rawOf = (picture) => picture.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });

const opaqueOf = (data, raw) => rawOf(sharp(data, { raw }).flatten({ background: '#fff' }));

const luminance = (data) =>
  Float64Array.from(
    { length: data.length / 3 },
    (_, i) => 0.299 * data[i * 3] + 0.587 * data[i * 3 + 1] + 0.114 * data[i * 3 + 2],
  );

function sample(data) {
  const some = Buffer.alloc(Math.floor(data.length / 3 / STEP) * 3);
  for (let i = 0; i < some.length; i += 3) data.copy(some, i, i * STEP, i * STEP + 3);
  return some;
}
