import { Worker } from 'node:worker_threads';
import { ImgtoolError, tooManyPixels } from '../../errors.ts';
import type { Limits } from '../../model.ts';
import type { Source } from '../open.ts';
import { type Examined, plainPicture } from '../plain.ts';
import { corrupt } from '../unreadable.ts';
import { openLibrary } from './library.ts';
import { openPrimary } from './picture.ts';

/**
 * The memory that libheif may take in bytes, beside the file: always, and for each pixel by bytes per sample. Measured
 * (1.23.2) as the size of its memory after decoding: see test/image/heic.
 */
const ALWAYS = 48 * 2 ** 20;
const PER_PIXEL = { 1: 14, 2: 24 } as const;

/** Decides how to read a HEIC. Errors: `corrupt`, `too_large`, `unsupported_format`. */
export async function examineHeic(source: Source, { lenient, pixels }: Limits): Promise<Examined> {
  const { input } = source;
  if (typeof input === 'string') throw new ImgtoolError('too_large', 'a HEIC of this size is not read');
  let most = ALWAYS + 2 * input.length;
  const library = await openLibrary(() => most);
  guardDecoding();
  const picture = read(() => openPrimary(library, input), lenient);
  const { width, height, bits, alpha, profile, premultiplied, codePoints } = picture;
  if (width * height > pixels) throw tooManyPixels(width, height, pixels);
  if (width * height === 0) throw corrupt(new Error('it has no size'), lenient);
  const sampleBytes = bits > 8 ? 2 : 1;
  most += width * height * PER_PIXEL[sampleBytes];
  const stated = { width, height, colours: 3, alpha, bits: sampleBytes * 8, profile, orientation: 1 };
  let opened: typeof picture | null = picture;
  const plain = plainPicture(stated, most, (pixels, isLenient) => {
    opened?.decode(pixels, !isLenient);
    opened = null;
  });
  let file: Buffer | null = null;
  return {
    frames: 1,
    failOn: 'error',
    damage: null,
    colours: { premultiplied, codePoints },
    // A second base uses the same pixels: decoding takes much longer than scaling.
    plain: { ...plain, write: (isLenient) => (file ??= plain.write(isLenient)) },
  };
}

function read<T>(ask: () => T, lenient: boolean): T {
  try {
    return ask();
  } catch (error) {
    throw corrupt(error, lenient);
  }
}

/** How often, in milliseconds, the guard looks for the parent. */
const EVERY = 250;

/**
 * What the guard runs, as text: it needs no file of its own. The number of the parent changes when the parent exits.
 * Windows keeps that number, so there the child process ends only after the picture.
 */
const CODE = `
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, ${EVERY});
`;

let guard: Worker | null = null;

/**
 * Ends this child process when its parent exits. While libheif decodes, the main thread hears nothing for seconds, not
 * even `disconnect`; this thread does. Can be called for each picture.
 */
function guardDecoding(): void {
  if (guard !== null || process.connected !== true) return;
  guard = new Worker(CODE, { eval: true, execArgv: [] });
  guard.unref();
}
