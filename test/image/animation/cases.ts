import { random } from '../../random.ts';
import type { Colour, Gif, GifFrame } from './gif-frames.ts';

/** Generated animations: places, disposals, times, plays, colours. */

const [WIDTH, HEIGHT] = [60, 40];

/** Colours from dark blue to yellow. */
export const ramp = (count: number): Colour[] =>
  Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1);
    return [Math.round(10 + 240 * share), Math.round(20 + 180 * share), Math.round(80 - 20 * share)];
  });

/** Waves of indices from `from` on, which differ from frame to frame. */
export function waves(width: number, height: number, colours: number, phase: number, from = 0): GifFrame {
  const pixels = Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const height = (Math.sin(x / 9 + phase) + Math.cos(y / 7 - phase) + 2) / 4;
    return from + Math.min(colours - 1, Math.floor(height * colours));
  });
  return { width, height, pixels, delay: 8 };
}

const whole = (phase: number, more: Partial<GifFrame> = {}): GifFrame => ({
  ...waves(WIDTH, HEIGHT, 16, phase),
  ...more,
});

const small = (i: number, more: Partial<GifFrame> = {}): GifFrame => ({
  ...waves(20, 15, 15, i, 1),
  ...{ left: 6 * i, top: 4 * i },
  ...more,
});

const several = (count: number, frame: (i: number) => GifFrame): GifFrame[] =>
  Array.from({ length: count }, (_, i) => frame(i));

const gif = (frames: readonly GifFrame[], more: Partial<Gif> = {}): Gif => ({
  ...{ width: WIDTH, height: HEIGHT, colours: ramp(16), repeats: 0, frames },
  ...more,
});

const next = random(7);
const anyColours = (count: number): Colour[] =>
  Array.from({ length: count }, () => [0, 0, 0].map(() => Math.floor(next() * 256)) as unknown as Colour);

const onWhole = (more: (i: number) => Partial<GifFrame>) => [
  whole(0),
  ...several(5, (i) => small(i, more(i))),
];

export const CASES: Readonly<Record<string, Gif>> = {
  'plays without end': gif(several(4, (i) => whole(i))),
  'is repeated once': gif(
    several(4, (i) => whole(i)),
    { repeats: 1 },
  ),
  'is repeated five times': gif(
    several(4, (i) => whole(i)),
    { repeats: 5 },
  ),
  'does not say how often it plays': gif(
    several(4, (i) => whole(i)),
    { repeats: undefined },
  ),
  'has no times': gif(several(4, (i) => whole(i, { delay: 0 }))),
  'has times from 20 milliseconds to a minute': gif(
    [2, 3, 0, 50, 6000, 7].map((delay, i) => whole(i, { delay })),
  ),
  'has frames at several places': gif(onWhole(() => ({}))),
  'keeps its frames': gif(onWhole(() => ({ disposal: 1, clear: 3 }))),
  'clears its frames': gif(onWhole(() => ({ disposal: 2, clear: 3 }))),
  'clears frames without transparency, on a background colour': gif(
    onWhole(() => ({ disposal: 2 })),
    {
      background: 5,
    },
  ),
  'restores what was there': gif(onWhole(() => ({ disposal: 3, clear: 9 }))),
  'has all disposals': gif(onWhole((i) => ({ disposal: [1, 2, 3, 2, 3][i]!, clear: 4 }))),
  'restores its first frame': gif([whole(0, { disposal: 3, clear: 2 }), small(1), small(2)]),
  'has colours of its own in each frame': gif(several(4, (i) => whole(i, { colours: anyColours(16) }))),
  'has 256 colours in each frame': gif(
    several(3, (i) => ({ ...waves(WIDTH, HEIGHT, 256, i), colours: ramp(256) })),
  ),
  'begins with a part of its canvas': gif([small(2), small(3), whole(1)], { background: 7 }),
  'begins with a transparent part of its canvas': gif([
    small(2, { clear: 5, disposal: 2 }),
    whole(1),
    small(3),
  ]),
  'has frames beyond its canvas': gif([whole(0), small(1, { left: 50, top: 30 }), small(2, { disposal: 2 })]),
  'has equal frames': gif(several(6, (i) => whole(Math.floor(i / 2)))),
  'has 200 frames': gif(
    several(200, (i) => ({ ...waves(24, 16, 16, i / 10), delay: 4 })),
    {
      width: 24,
      height: 16,
    },
  ),
};
