import type { PixelSize } from '../../model.ts';
import type { Region } from '../region.ts';
import { type Frames, STILL } from '../steps/frames.ts';
import { corrupt, damagedPicture } from '../unreadable.ts';
import { sharp } from '../vips.ts';
import type { Animation, StoredFrame } from './animation.ts';

/** A frame as a viewer shows it. `degraded`: its data is damaged, and it shows what could be read. */
export type Shown = { readonly page: Frames; readonly degraded: boolean };

/**
 * Yields each frame on the whole canvas, as browsers show it: the canvas begins transparent, and what is cleared becomes
 * transparent. libvips fills such areas of some GIFs with the background colour. The pixels are valid until the next frame
 * is asked for. Errors: those of unreadable.ts.
 */
export async function* shownFrames(
  { frames }: Animation,
  { width, height }: PixelSize,
  lenient: boolean,
): AsyncGenerator<Shown> {
  let data: Buffer = Buffer.alloc(width * height * 4);
  for (const part of frames) {
    const before = part.after === 'restored' ? Buffer.from(data) : null;
    const { pixels, degraded } = await decodePart(part, lenient);
    const canvas: Frames = { data, width, height, channels: 4, ...STILL };
    if (pixels !== null) draw(canvas, pixels, part);
    yield { page: canvas, degraded };
    if (part.after === 'cleared') clear(canvas, part);
    data = before ?? data;
  }
}

/** Null for a frame without pixels, and for one that cannot be read at all. */
async function decodePart(
  part: StoredFrame,
  lenient: boolean,
): Promise<{ pixels: Buffer | null; degraded: boolean }> {
  const picture = part.picture();
  if (picture === null) return { pixels: null, degraded: false };
  const read = async (failOn: 'error' | 'none') => {
    const opened = sharp(picture, { failOn, limitInputPixels: false });
    const { data, info } = await opened
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.width !== part.width || info.height !== part.height)
      throw damagedPicture('a frame has another size');
    return data;
  };
  try {
    if (part.isWhole) return { pixels: await read('error'), degraded: false };
  } catch (error) {
    const reason = corrupt(error, lenient);
    if (!lenient || reason.code !== 'corrupt') throw reason;
  }
  const pixels = await read('none').catch(() => null);
  return { pixels, degraded: true };
}

/** The part of a frame that is on the canvas. */
function onCanvas({ width, height }: PixelSize, part: Region) {
  return {
    rows: Math.max(0, Math.min(part.height, height - part.top)),
    columns: Math.max(0, Math.min(part.width, width - part.left)),
  };
}

function draw(canvas: Frames, pixels: Buffer, part: StoredFrame): void {
  const { rows, columns } = onCanvas(canvas, part);
  const { data, width } = canvas;
  for (let y = 0; y < rows; y++) {
    let from = y * part.width * 4;
    let to = ((part.top + y) * width + part.left) * 4;
    if (!part.over) {
      pixels.copy(data, to, from, from + columns * 4);
      continue;
    }
    for (const end = from + columns * 4; from < end; from += 4, to += 4) blend(pixels, from, data, to);
  }
}

/** Draws one pixel over another. Neither is multiplied by its alpha. */
function blend(from: Buffer, at: number, into: Buffer, to: number): void {
  const alpha = from[at + 3]!;
  if (alpha === 0) return;
  const below = alpha === 255 ? 0 : (into[to + 3]! * (255 - alpha)) / 255;
  const whole = alpha + below;
  for (let i = 0; i < 3; i++)
    into[to + i] = Math.round((from[at + i]! * alpha + into[to + i]! * below) / whole);
  into[to + 3] = Math.round(whole);
}

function clear(canvas: Frames, part: StoredFrame): void {
  const { rows, columns } = onCanvas(canvas, part);
  for (let y = part.top; y < part.top + rows; y++) {
    const from = (y * canvas.width + part.left) * 4;
    canvas.data.fill(0, from, from + columns * 4);
  }
}
