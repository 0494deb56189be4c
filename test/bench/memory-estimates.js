// Compares the memory that imgtool estimates for a picture with the peak of the child process that renders it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { table } from './figures.js';
import { field, tree } from './memory-peak.js';

/** Width and height of the sources in pixels: those of a camera of 12 Mpx. */
const SIZE = { width: 4000, height: 3000 };

const LIMITS = { pixels: 268_000_000, allowSvg: true, lenient: false, timeout: 600_000 };

/** Outputs of the size of the source. */
const SAME = {
  webp: ['v:format=webp'],
  'webp-lossless': ['v:lossless'],
  'webp-nearlossless': ['v:nearlossless'],
  'webp-sharp': ['v:chroma=sharp'],
  jpeg: ['v:format=jpeg'],
  'jpeg-444': ['v:format=jpeg,q=95'],
  png: ['v:format=png'],
  avif: ['v:format=avif,effort=0'],
  gif: ['v:format=gif'],
  tiff: ['v:format=tiff'],
};

/** Other sizes. */
const SIZED = {
  '1200-wide': ['v:w=1200'],
  '2500-wide': ['v:w=2500'],
  '2500-wide-png': ['v:w=2500,format=png'],
  contain: ['v:w=6000,h=6000,fit=contain'],
  'contain-jpeg': ['v:w=6000,h=6000,fit=contain,format=jpeg'],
  'contain-png': ['v:w=5000,h=5000,fit=contain,format=png'],
  'contain-gif': ['v:w=4000,h=4000,fit=contain,format=gif'],
  'contain-tiff': ['v:w=4000,h=4000,fit=contain,format=tiff'],
  enlarge: ['v:w=6000,enlarge,format=jpeg'],
  outside: ['v:w=5000,h=5000,fit=outside,enlarge'],
  trim: ['v:trim,w=2000'],
  crop: ['v:crop=10%:10%:60%:60%'],
  entropy: ['v:w=2000,h=2000,fit=cover,position=entropy'],
  linear: ['v:w=1200,linear'],
  'linear-large': ['v:w=3000,linear'],
  'two-same': ['v:format=webp', 'u:format=png'],
};
const FEW = ['webp', 'webp-lossless', 'png', 'gif', 'tiff', '1200-wide', 'contain', 'trim', 'crop', 'linear'];

/** What each source is rendered to: `web`, then these. */
const ORDERS = { ...SAME, ...SIZED };
const ALL = Object.keys(ORDERS);

async function noise(channels, depth = 'uchar') {
  const { width, height } = SIZE;
  const [data, random] = [Buffer.allocUnsafe(width * height * channels * (depth === 'uchar' ? 1 : 2)), lcg()];
  for (let i = 0; i < data.length; i++) data[i] = random();
  const raw = { width, height, channels };
  return sharp(depth === 'uchar' ? data : new Uint16Array(data.buffer, data.byteOffset, data.length / 2), {
    raw,
  });
}

/** Numbers from 0 to 255, the same in each run. */
function lcg() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
}

/** Each source, and the orders that it is measured with. */
function sourcesOf(photo) {
  const picture = () => sharp(photo).resize({ ...SIZE, fit: 'cover' });
  const clear = async () => (await noise(1)).toColourspace('b-w').raw().toBuffer();
  const veiled = async (base) => {
    const mask = sharp(await clear(), { raw: { ...SIZE, channels: 1 } });
    return base.joinChannel(await mask.png({ compressionLevel: 0 }).toBuffer());
  };
  const faded = () => picture().ensureAlpha(0.5);
  return {
    'jpeg photo': [async () => picture().jpeg(), ALL],
    'jpeg noise': [async () => (await noise(3)).jpeg(), FEW],
    'jpeg progressive': [async () => picture().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }), FEW],
    'png photo': [async () => picture().png({ compressionLevel: 3 }), FEW],
    'png noise': [async () => (await noise(3)).png({ compressionLevel: 1 }), ALL],
    'png alpha': [async () => faded().png({ compressionLevel: 3 }), ALL],
    'png alpha noise': [async () => (await noise(4)).png({ compressionLevel: 1 }), ALL],
    'png 16 bit noise': [
      async () => (await noise(3, 'ushort')).toColourspace('rgb16').png({ compressionLevel: 1 }),
      FEW,
    ],
    'png grey': [async () => picture().grayscale().png({ compressionLevel: 3 }), FEW],
    'webp photo': [async () => picture().webp({ effort: 0 }), FEW],
    'webp noise': [async () => (await noise(3)).webp({ effort: 0 }), FEW],
    'webp alpha': [async () => (await veiled(picture())).webp({ effort: 0 }), FEW],
    'webp lossless alpha noise': [async () => (await noise(4)).webp({ lossless: true, effort: 0 }), FEW],
    'gif photo': [async () => picture().gif({ effort: 1, dither: 0 }), FEW],
    'tiff photo': [async () => picture().tiff({ compression: 'lzw' }), FEW],
    'tiff 16 bit noise': [
      async () => (await noise(3, 'ushort')).toColourspace('rgb16').tiff({ compression: 'none' }),
      FEW,
    ],
    'tiff alpha noise': [async () => (await noise(4)).tiff({ compression: 'none' }), FEW],
    'avif photo': [async () => picture().avif({ effort: 0 }), FEW],
    'avif alpha': [async () => faded().avif({ effort: 0 }), FEW],
    'bmp 24': [async () => bitmap(await picture().removeAlpha().raw().toBuffer(), 3), FEW],
    'bmp 32 noise': [async () => bitmap(await (await noise(4)).raw().toBuffer(), 4), FEW],
    svg: [async () => Buffer.from(DRAWING), FEW],
  };
}

const DRAWING =
  `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE.width}" height="${SIZE.height}" viewBox="0 0 40 30">` +
  '<rect width="40" height="30" fill="#cde"/><circle cx="20" cy="15" r="12" fill="#a33" fill-opacity="0.8"/></svg>';

/** A BMP without compression (BITMAPINFOHEADER). */
function bitmap(pixels, channels) {
  const head = Buffer.alloc(54);
  head.write('BM', 'latin1');
  head.writeUInt32LE(54 + pixels.length, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(SIZE.width, 18);
  head.writeInt32LE(-SIZE.height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(channels * 8, 28);
  return Buffer.concat([head, pixels]);
}

/**
 * Lines of a table: the estimate and the peak above an idle child in MB, and the peak as a part of the estimate. With
 * words, only sources and orders whose names contain one of them.
 */
export async function estimates(root, folder, photo, words) {
  mkdirSync(folder, { recursive: true });
  const variants = variantsOf(root, folder);
  const { createWorkerPool } = await import(`${root}/dist/adapters/worker-pool.js`);
  const isChosen = (name) => words.length === 0 || words.some((word) => name.includes(word));
  const rows = [];
  for (const [name, [make, orders]] of Object.entries(sourcesOf(photo))) {
    const chosen = ['web', ...orders].filter((order) => isChosen(`${name}: ${order}`));
    if (chosen.length === 0) continue;
    const path = join(folder, 'source');
    const made = await make();
    writeFileSync(path, Buffer.isBuffer(made) ? made : await made.toBuffer());
    for (const order of chosen) {
      const { estimate, peak } = await measured(createWorkerPool, path, variants.get(order));
      rows.push([name, order, mb(estimate), mb(peak), (peak / estimate).toFixed(2)]);
      process.stderr.write(`${rows.at(-1).join(' | ')}\n`);
    }
  }
  return table(['source', 'variants', 'estimate', 'peak', 'part'], rows);
}

/** Renders the picture in a new child. Returns the estimate and the peak above the idle child, in bytes. */
async function measured(createWorkerPool, path, variants) {
  const pool = createWorkerPool({ size: 2 });
  await pool.digest([], LIMITS.timeout);
  const [, child] = tree(process.pid);
  const idle = field(child, 'status', 'VmRSS');
  const picture = await pool.open({ path, bounds: null }, LIMITS, variants);
  const orders = variants.map((variant, i) => ({ variant, path: `${path}.${i}` }));
  await picture.render(orders);
  const peak = field(child, 'status', 'VmHWM') - idle;
  picture.close();
  await pool.close();
  for (const order of orders) rmSync(order.path);
  return { estimate: picture.memory, peak };
}

/** The complete variants of each order, by its name. */
function variantsOf(root, folder) {
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify({ presets: ORDERS }));
  const args = [join(root, 'bin/imgtool.js'), 'presets', '--json', '--config', file];
  const { presets } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  return new Map(presets.map(({ name, variants }) => [name, variants]));
}

const mb = (bytes) => (bytes / 1e6).toFixed(0);
