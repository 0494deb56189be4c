import { setImmediate as turn } from 'node:timers/promises';
import type { PixelSize } from '../../model.ts';
import type { Region } from '../region.ts';
import { srgb } from '../signal/signal.ts';
import { lightStep, srgbBytes } from './correct.ts';
import type { Frames } from './frames.ts';

/** Lobes of the Lanczos kernel to each side, and the source pixels that one pixel is made of. */
const LOBES = 3;
const TAPS = 2 * LOBES;

/** How many samples are written before the process does other work. */
const SAMPLES_AT_ONCE = 4_000_000;

/**
 * Enlarges a page to `whole` with Lanczos and returns `part` of it. Centres of pixels keep their place. libvips up to 8.18
 * moves what it enlarges by half a pixel of the output to the right and down (libvips issue 4841), and takes a cubic kernel.
 * Each side of `whole` is at least as long as that of the page.
 */
export async function enlarge(
  page: Frames,
  whole: PixelSize,
  part: Region,
  linear: boolean,
): Promise<Frames> {
  const { channels } = page;
  const across = taps(page.width, whole.width, part.left, part.width);
  const down = taps(page.height, whole.height, part.top, part.height);
  const length = part.width * channels;
  const samples = samplesOf(channels, linear);
  const line = new Float32Array(page.width * channels);
  const rows = Array.from({ length: TAPS }, () => new Float32Array(length));
  const held = new Int32Array(TAPS).fill(-1);
  const sums = new Float32Array(length);
  // Rounds and clips what is written.
  const data = new Uint8ClampedArray(length * part.height);
  for (let y = 0, done = 0; y < part.height; y++, done += length) {
    const taken = [...down.at.subarray(y * TAPS, (y + 1) * TAPS)];
    for (const from of taken) {
      if (held[from % TAPS] === from) continue;
      samples.read(page.data, from * line.length, line);
      widen(line, across, channels, rows[from % TAPS]!);
      held[from % TAPS] = from;
    }
    add(
      taken.map((from) => rows[from % TAPS]!),
      down.weights.subarray(y * TAPS, (y + 1) * TAPS),
      sums,
    );
    samples.write(sums, data, y * length);
    if (done >= SAMPLES_AT_ONCE) {
      done = 0;
      await turn();
    }
  }
  return { ...page, data: Buffer.from(data.buffer), width: part.width, height: part.height };
}

interface Taps {
  /** The source pixels of each pixel, and their weights: `TAPS` for each. */
  readonly at: Int32Array;
  readonly weights: Float32Array;
}

/** The source pixels of `length` pixels from `first` on. Beyond the edges, the pixels of the edges are repeated. */
function taps(from: number, to: number, first: number, length: number): Taps {
  const at = new Int32Array(length * TAPS);
  const weights = new Float32Array(length * TAPS);
  for (let i = 0; i < length; i++) {
    const centre = ((first + i + 0.5) * from) / to - 0.5;
    const start = Math.floor(centre) - LOBES + 1;
    const each = Array.from({ length: TAPS }, (_, k) => lanczos(start + k - centre));
    const total = each.reduce((sum, weight) => sum + weight, 0);
    for (let k = 0; k < TAPS; k++) {
      at[i * TAPS + k] = Math.min(from - 1, Math.max(0, start + k));
      weights[i * TAPS + k] = each[k]! / total;
    }
  }
  return { at, weights };
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos = (x: number): number => (Math.abs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0);

function widen(line: Float32Array, { at, weights }: Taps, channels: number, row: Float32Array): void {
  for (let i = 0, tap = 0; i < row.length; i += channels, tap += TAPS) {
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let k = tap; k < tap + TAPS; k++) sum += line[at[k]! * channels + channel]! * weights[k]!;
      row[i + channel] = sum;
    }
  }
}

/** Adds weighted rows. In one pass, this takes half the time of a pass for each row. */
function add(rows: readonly Float32Array[], weights: Float32Array, sums: Float32Array): void {
  const [a, b, c, d, e, f] = rows;
  const [u, v, w, x, y, z] = weights;
  for (let i = 0; i < sums.length; i++) {
    sums[i] = a![i]! * u! + b![i]! * v! + c![i]! * w! + d![i]! * x! + e![i]! * y! + f![i]! * z!;
  }
}

/** Reads and writes rows of samples from 0 to 1, with colours times alpha. In linear light, colours are light. */
function samplesOf(channels: Frames['channels'], linear: boolean) {
  const colors = channels < 3 ? 1 : 3;
  const hasAlpha = channels > colors;
  const table = new Float32Array(256).map((_, byte) => (linear ? srgb(byte / 255) : byte / 255));
  const bytes = linear ? srgbBytes() : null;
  const byteOf = (value: number): number => bytes?.[lightStep(value)] ?? value * 255;
  return {
    read(data: Buffer, start: number, line: Float32Array): void {
      for (let i = 0; i < line.length; i += channels) {
        const alpha = hasAlpha ? data[start + i + colors]! / 255 : 1;
        for (let j = i; j < i + colors; j++) line[j] = table[data[start + j]!]! * alpha;
        if (hasAlpha) line[i + colors] = alpha;
      }
    },
    write(sums: Float32Array, data: Uint8ClampedArray, start: number): void {
      for (let i = 0; i < sums.length; i += channels) {
        const alpha = hasAlpha ? Math.min(1, sums[i + colors]!) : 1;
        for (let j = i; j < i + colors; j++) {
          data[start + j] = alpha <= 0 ? 0 : byteOf(sums[j]! / alpha);
        }
        if (hasAlpha) data[start + i + colors] = alpha * 255;
      }
    },
  };
}
