import { chunksOf } from '../chunks.ts';
import type { Source } from '../open.ts';
import { sharp } from '../vips.ts';
import type { Header } from './header.ts';

/**
 * Finds the damage of a baseline JPEG that libvips does not report. Wrong bytes change the length of the codes after them.
 * So the data ends before the last pixel, or some of it is left over. libjpeg reports what is left over when it reads the
 * end marker, but libvips stops it before (8.18.7).
 *
 * Without an end marker, libjpeg decodes the same pixels, and warns when it looks for more data than there is. It does
 * that once while it decodes the last pixels of a sound JPEG. It never does that when more than 8 bytes are left over:
 * it reads at most 8 bytes ahead.
 */

/** libjpeg's warning of stray bytes before a segment of the header. They touch no pixel. */
const HARMLESS = /extraneous bytes before marker 0x(?:c[0-2]|e[0-9a-f]|fe)/;

/** libvips's warning where the data ends. */
const ENDS = 'premature end of JPEG image';

const END = Buffer.from([0xff, 0xd9]);

/** A baseline JPEG up to its end marker, which is left out. */
export interface Scan {
  readonly input: Buffer;
  /** `warnings`: those of the pipeline that decoded all rows of `input` with `failOn: 'none'`. */
  isDamaged(warnings: readonly string[]): Promise<boolean>;
}

/** The scan of a baseline JPEG in memory that has an end marker; null for every other picture. */
export function scanOf({ input }: Source, header: Header): Scan | null {
  if (typeof input === 'string' || header.format !== 'jpeg' || header.progressive) return null;
  const segments = [...chunksOf(input, 'jpeg', false)];
  const last = segments.at(-1);
  // The last segment is the start of the scan. c0 and c1 are the frames of Huffman codes in one pass.
  if (last?.type !== 'da' || !segments.some(({ type }) => type === 'c0' || type === 'c1')) return null;
  const start = last.at + last.length;
  const end = input.indexOf(END, start);
  if (end < 0) return null;
  const data = input.subarray(0, end);
  return { input: data, isDamaged };

  async function isDamaged(warnings: readonly string[]): Promise<boolean> {
    if (isNoticed(warnings)) return true;
    // libvips counts the warnings of the header too.
    if (messagesOf(warnings).some((message) => HARMLESS.test(message))) return false;
    const count = countOf(warnings);
    return count === 0 ? !(await needsLastByte(data, start, header)) : count > 1;
  }
}

/** True when libjpeg warned of damage that touches pixels, other than the end of the data. */
export const isNoticed = (warnings: readonly string[]): boolean =>
  messagesOf(warnings).some((message) => isHarmful(message) && !message.includes(ENDS));

/** `message`: one of libjpeg's warnings. */
export const isHarmful = (message: string): boolean => !HARMLESS.test(message);

/**
 * True when pixels are missing without the last byte. libjpeg reads ahead: at the end of 4 % of sound JPEGs it already
 * holds all data and does not look for more. This decodes once more, as small as possible.
 */
async function needsLastByte(data: Buffer, start: number, header: Header): Promise<boolean> {
  const { width, height } = header.stored;
  // Some cameras fill up with zeros.
  let end = data.length;
  while (end > start + 1 && data[end - 1] === 0) end--;
  // Where the height is no multiple of 8, the decoder does not read the last rows for an eighth of the size.
  const size = height % 8 === 0 ? { width: Math.ceil(width / 8), height: height / 8 } : { width, height: 1 };
  const warnings: string[] = [];
  await sharp(data.subarray(0, end - 1), { failOn: 'none', limitInputPixels: false })
    .on('warning', (warning: string) => warnings.push(warning))
    .resize({ ...size, fit: 'fill' })
    .raw()
    .toBuffer();
  // The end of the data, and the missing pixels.
  return countOf(warnings) > 1;
}

/** libjpeg's messages: libvips passes on the first of each reader. */
const messagesOf = (warnings: readonly string[]): string[] =>
  warnings.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('VipsJpeg: '));

/** The number of libjpeg's warnings. */
const countOf = (warnings: readonly string[]): number =>
  Math.max(0, ...warnings.map((text) => Number(/^read gave (\d+) warnings/.exec(text)?.[1] ?? 0)));
