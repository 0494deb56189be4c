import type { PixelSize } from '../../model.ts';
import type { Region } from '../region.ts';

/** An animation in parts. Each frame is stored as a still picture of its own. */
export interface Animation {
  readonly frames: readonly StoredFrame[];
  /** The number of frames in the file. */
  readonly count: number;
  /** How often it plays; 0 means without end. */
  readonly loop: number;
}

/** A frame as it is stored: a picture that is drawn somewhere on the canvas. */
export interface StoredFrame extends Region {
  /** Milliseconds. */
  readonly delay: number;
  /** What becomes of its area before the next frame: it stays, it becomes transparent, or it is what it was before. */
  readonly after: 'stays' | 'cleared' | 'restored';
  /** True when it is drawn over what is there; false when it replaces that, transparency included. */
  readonly over: boolean;
  /** False when its data ends before its last pixel. */
  readonly isWhole: boolean;
  /** Makes a picture file of this frame alone. Null for a frame without pixels. */
  picture(): Buffer | null;
}

/** Browsers show a frame without a delay for this many milliseconds. */
const UNTIMED = 100;

export const delayOf = (milliseconds: number): number => (milliseconds === 0 ? UNTIMED : milliseconds);

/** The pixels of all frames. A frame can be larger than the canvas, and is decoded as a whole. */
export function pixelsIn({ frames }: Animation, { width, height }: PixelSize): number {
  return frames.reduce((sum, frame) => sum + Math.max(width * height, frame.width * frame.height), 0);
}
