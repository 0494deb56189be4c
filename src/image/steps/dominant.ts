import type { Frames } from './frames.ts';

/** The most pixels to sample; they are evenly spaced in a larger picture. */
const MAX_SAMPLES = 65_536;

/** Returns the mean of the most frequent colours, which agree in their upper 4 bits; transparency is on white. */
export function dominantColor({ data, channels }: Frames): string {
  const groups = new Float64Array(4096 * 4);
  const colors = channels < 3 ? 1 : 3;
  const opaque = channels === colors;
  const step = Math.max(1, Math.ceil(data.length / channels / MAX_SAMPLES)) * channels;
  for (let at = 0; at + channels <= data.length; at += step) {
    const alpha = opaque ? 255 : data[at + colors]!;
    const on = (color: number): number => Math.round((color * alpha + 255 * (255 - alpha)) / 255);
    const red = on(data[at]!);
    const [green, blue] = colors === 1 ? [red, red] : [on(data[at + 1]!), on(data[at + 2]!)];
    const group = (((red >> 4) << 8) | (green & 0xf0) | (blue >> 4)) * 4;
    groups[group]! += 1;
    groups[group + 1]! += red;
    groups[group + 2]! += green;
    groups[group + 3]! += blue;
  }
  let best = 0;
  for (let group = 0; group < groups.length; group += 4) if (groups[group]! > groups[best]!) best = group;
  const [count = 1, ...sums] = groups.subarray(best, best + 4);
  return `#${Buffer.from(sums.map((sum) => Math.round(sum / count))).toString('hex')}`;
}
