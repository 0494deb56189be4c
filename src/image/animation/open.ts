import { ImgtoolError, tooManyPixels } from '../../errors.ts';
import type { Limits, PixelSize, SourceFormat } from '../../model.ts';
import type { Source } from '../open.ts';
import { damagedPicture } from '../unreadable.ts';
import { type Animation, pixelsIn } from './animation.ts';
import { gifAnimation } from './gif.ts';
import { webpAnimation } from './webp.ts';

/** The most frames or pages: libvips searches for all of them, even to read the first. */
const MOST_FRAMES = 500;

/** libvips reads no other animations. */
const FRAME_READERS: Partial<Record<SourceFormat, (bytes: Buffer, most: number) => Animation>> = {
  gif: gifAnimation,
  webp: webpAnimation,
};

const FIRST = 'use its first frame with animated=first in the variant';

/**
 * The frames to decode: all frames, or only the first where libvips would search for too many others. Null for a picture
 * that libvips decodes by itself. Errors: `too_many_frames`, `too_large`.
 */
export function animationOf({ input }: Source, format: SourceFormat, wantsAll: boolean): Animation | null {
  const read = FRAME_READERS[format];
  if (read === undefined) return null;
  if (typeof input === 'string') {
    if (!wantsAll) return null;
    throw new ImgtoolError('too_large', 'an animation of this size in bytes is not read', { fix: FIRST });
  }
  const animation = read(input, MOST_FRAMES);
  const { frames, count } = animation;
  if (count < 2) return null;
  if (!wantsAll) return count > MOST_FRAMES ? { ...animation, frames: frames.slice(0, 1) } : null;
  assertFrameCount(count, 'frames', FIRST);
  return animation;
}

/** Errors: `too_many_frames`. */
export function assertFrameCount(count: number, what: 'frames' | 'pages', fix: string): void {
  if (count <= MOST_FRAMES) return;
  const message = `${count.toLocaleString('en')} ${what} are over the limit of ${MOST_FRAMES}`;
  throw new ImgtoolError('too_many_frames', message, { fix });
}

/** Checks the frames before any is decoded. Errors: `too_large`. */
export function assertFramePixels(animation: Animation, size: PixelSize, { pixels }: Limits): void {
  const all = pixelsIn(animation, size);
  if (all <= pixels) return;
  const { message } = tooManyPixels(size.width, size.height, pixels);
  const enough = `{{limitPixels ${Math.ceil(all / 1e6)}M}}`;
  const fix = `${FIRST}, or raise the limit with ${enough} if you trust the picture`;
  const frames = `${animation.frames.length.toLocaleString('en')} frames of`;
  throw new ImgtoolError('too_large', `${frames} ${message.replace(' is over ', ' are over ')}`, { fix });
}

/** Why an animation is incomplete; null when it is whole, as far as its structure shows. */
export function damageOfFrames({ frames }: Animation): ImgtoolError | null {
  const at = frames.findIndex(({ isWhole }) => !isWhole);
  return at < 0 ? null : damagedPicture(`frame ${at + 1} ends before its last pixel`);
}
