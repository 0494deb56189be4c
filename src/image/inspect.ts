import { ImgtoolError } from '../errors.ts';
import type { Inspected } from '../model.ts';
import { detect } from './detect.ts';
import { carriedBy, carriedIn } from './metadata.ts';
import { openSource, type Source } from './open.ts';
import { complaint } from './steps/corrupt.ts';
import { sharp } from './vips.ts';

/** The display order of metadata; other kinds follow by name. */
const ORDER = ['exif', 'xmp', 'iptc', 'icc', 'comment', 'thumbnail'];

/**
 * Reads a stored picture once and decodes every pixel, as strictly as a source. Errors: those of open.ts and detect.ts,
 * `corrupt`, `out_of_memory`.
 */
export async function inspect(path: string): Promise<Inspected> {
  const source = await openSource(path);
  try {
    return await inspected(source);
  } finally {
    await source.close();
  }
}

async function inspected(source: Source): Promise<Inspected> {
  const format = await detect(source.head, false);
  try {
    const metadata = await read(source).metadata();
    const { width, height } = metadata;
    // One row of the full width: the decoder skips nothing, and the result stays small.
    await read(source).resize({ width, height: 1, fit: 'fill' }).raw().toBuffer();
    const carried = new Set([...carriedBy(source.head, format, true).keys(), ...carriedIn(metadata).keys()]);
    return {
      format: format === 'heif' ? 'avif' : format,
      width,
      height,
      metadata: [...carried].sort(byOrder),
    };
  } catch (error) {
    throw damaged(error);
  }
}

function read(source: Source) {
  return sharp(source.input, { failOn: 'error', limitInputPixels: false });
}

function damaged(error: unknown): ImgtoolError {
  return complaint(
    error,
    (why) => new ImgtoolError('corrupt', `is damaged or cut short${why}`, { cause: error }),
  );
}

function byOrder(a: string, b: string): number {
  const [first, second] = [a, b].map((name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length));
  return first! - second! || (a < b ? -1 : 1);
}
