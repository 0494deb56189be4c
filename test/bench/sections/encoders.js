import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { corpusOf } from '../corpus.js';
import { mean, table } from '../figures.js';
import { ask, run, tell } from '../run.js';
import { source } from '../source.js';
import { ssim } from '../ssim.js';

const WIDTH = 1200;

/** Colours of every so many pixels are compared: each takes a microsecond. */
const STEP = 23;

const encode = (fields) => ({ fields });
/** A program that makes a file of another one. It gets the pixels as PPM, which costs nothing to decode, or as PNG. */
const program = (command, from, args) => ({ command, from, args });

const AVIFENC = ['-j', '1', '-s', '7', '-y', '444', '--min', '0', '--max', '63', '-a', 'end-usage=q'];

/** Ways of encoding the same pixels. The first of each format is the one that imgtool had. */
const WAYS = {
  'jpeg q85, baseline (before)': encode({ format: 'jpeg', progressive: false }),
  'jpeg q85 (default)': encode({ format: 'jpeg' }),
  'jpeg q85 effort=1': encode({ format: 'jpeg', effort: 1 }),
  'jpeg q85 effort=2': encode({ format: 'jpeg', effort: 2 }),
  'jpeg q85 chroma=444': encode({ format: 'jpeg', chroma: '444' }),
  'cjpeg -quality 85 -optimize -progressive': program('cjpeg', 'ppm', (from, to) => [
    ...['-quality', '85', '-optimize', '-progressive', '-outfile', to, from],
  ]),
  'webp q85 (default, as before)': encode({}),
  'webp q85 chroma=sharp': encode({ chroma: 'sharp' }),
  'webp nearlossless q60': encode({ nearlossless: true, quality: 60 }),
  'webp nearlossless q85': encode({ nearlossless: true }),
  'webp lossless': encode({ lossless: true }),
  'cwebp -q 85 -m 4': program('cwebp', 'png', (from, to) => [
    ...['-quiet', '-q', '85', '-m', '4', from, '-o', to],
  ]),
  'avif q60 (default, as before)': encode({ format: 'avif' }),
  'avif q60 bitdepth=10': encode({ format: 'avif', bitdepth: 10 }),
  'avif q60 chroma=420': encode({ format: 'avif', chroma: '420' }),
  'avifenc -s 7, cq-level 25': program('avifenc', 'png', (from, to) => [
    ...[...AVIFENC, '-a', 'cq-level=25', from, to],
  ]),
  'png (default)': encode({ format: 'png' }),
  'optipng -o2': program('optipng', 'png', (from, to) => ['-quiet', '-o2', from, '-out', to]),
  'gif (default)': encode({ format: 'gif' }),
  'tiff (default)': encode({ format: 'tiff' }),
};

/** Graphics that compress in different ways. */
const GRAPHICS = {
  'red text on blue': ['<rect width="100%" height="100%" fill="#00f"/>', 'fill="#f00"'],
  'black text on white': ['<rect width="100%" height="100%" fill="#fff"/>', 'fill="#000"'],
  'grey gradient': [
    '<linearGradient id="g"><stop stop-color="#222"/><stop offset="1" stop-color="#eee"/></linearGradient>' +
      '<rect width="100%" height="100%" fill="url(#g)"/>',
    'fill="#555"',
  ],
  'flat shapes': [
    '<rect width="100%" height="100%" fill="#fc3"/><circle cx="300" cy="400" r="250" fill="#393"/>' +
      '<path d="M700 700 L1100 700 L900 200 Z" fill="#36c" shape-rendering="crispEdges"/>',
    'fill="#222"',
  ],
  'colour gradient': [
    '<radialGradient id="g"><stop stop-color="#f62"/><stop offset="1" stop-color="#206"/></radialGradient>' +
      '<rect width="100%" height="100%" fill="url(#g)"/>',
    'fill="#fff"',
  ],
};

/** What each encoder setting costs and buys, beside the programs of other projects. */
export async function* encoders({ place, folder, count = Infinity }) {
  sharp.concurrency(1);
  // The program's own modules block SVG, so graphics come first.
  const graphics = await Promise.all(
    Object.values(GRAPHICS).map((parts) => rawOf(sharp(Buffer.from(svg(...parts))))),
  );
  const { encode } = await source('image/steps/encode');
  const { fullVariant } = await source('variants/fields');
  const { meanDeltaE } = await source('image/delta-e', 'test');
  const tools = { encode, fullVariant, meanDeltaE, place };
  const resized = { width: WIDTH, fastShrinkOnLoad: false };
  const pictures = {
    photographs: corpusOf(folder)
      .files.slice(0, count)
      .map(({ path }) => rawOf(sharp(path).autoOrient().resize(resized))),
    graphics,
  };
  for (const [kind, all] of Object.entries(pictures)) {
    if (all.length === 0) continue;
    yield [
      `### Encoders: ${all.length} ${kind}`,
      '',
      `${WIDTH} pixels across, mean over the pictures; milliseconds of CPU. Those of a program include its start and reading its input.`,
      '',
      ...table(['way', 'CPU ms', 'bytes', 'SSIM', 'ΔE2000'], await rowsOf(kind, all, tools)),
    ];
  }
}

function svg(back, fill) {
  const lines = Array.from({ length: 12 }, (_, i) => {
    const text = 'Sphinx of black quartz, judge my vow 0123456789';
    return `<text x="30" y="${60 + i * 62}" font-size="${14 + i * 3}" ${fill}>${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="800">${back}${lines.join('')}</svg>`;
}

async function rowsOf(kind, pictures, tools) {
  const found = new Map();
  for (const [i, picture] of pictures.entries()) {
    tell(`  ${kind}, picture ${i + 1} of ${pictures.length}`);
    const original = await picture;
    const inputs = await inputsOf(original, tools.place);
    for (const [name, way] of Object.entries(WAYS)) {
      const made = await make(way, original, inputs, tools);
      if (made !== null) found.set(name, [...(found.get(name) ?? []), await judge(made, original, tools)]);
    }
  }
  return [...found].map(([name, all]) => {
    const of = (key) => mean(all.map((one) => one[key]));
    return [
      name,
      of('ms').toFixed(0),
      Math.round(of('bytes')).toLocaleString('en'),
      of('ssim').toFixed(4),
      of('deltaE').toFixed(2),
    ];
  });
}

/** The pixels as files for other programs. */
async function inputsOf({ data, info }, place) {
  const [ppm, png] = [join(place, 'pixels.ppm'), join(place, 'pixels.png')];
  writeFileSync(ppm, Buffer.concat([Buffer.from(`P6 ${info.width} ${info.height} 255\n`), data]));
  await sharp(data, { raw: info }).png({ compressionLevel: 6 }).toFile(png);
  return { ppm, png };
}

/** Prints the seconds of CPU that a command takes. */
const TIMED = '{ TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1; } 2>&1';

/** Bytes and milliseconds of CPU; null without the program. */
async function make({ fields, command, from, args }, { data, info }, inputs, { encode, fullVariant, place }) {
  if (fields !== undefined) {
    const variant = fullVariant({ name: 'any', width: WIDTH, ...fields });
    const before = process.cpuUsage();
    const made = await encode(sharp(data, { raw: info }), variant, null);
    const { user, system } = process.cpuUsage(before);
    return { bytes: made.data, ms: (user + system) / 1000 };
  }
  if ((await ask('which', [command], /(.+)/)) === null) return null;
  const to = join(place, 'made');
  const { stdout } = await run('bash', ['-c', TIMED, 'bash', command, ...args(inputs[from], to)], {
    capture: true,
  });
  const [user, system] = stdout.trim().split(' ').map(Number);
  const bytes = readFileSync(to);
  rmSync(to);
  return { bytes, ms: (user + system) * 1000 };
}

async function judge({ bytes, ms }, original, { meanDeltaE }) {
  const { data, info } = await rawOf(sharp(bytes));
  const likeness = ssim(luminance(original.data), luminance(data), info);
  const deltaE = meanDeltaE(sample(original.data), sample(data));
  return { bytes: bytes.length, ms, ssim: likeness, deltaE };
}

const rawOf = (picture) =>
  picture.flatten({ background: '#fff' }).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });

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
