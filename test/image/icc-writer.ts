/** Writes ICC profiles of curves and a matrix (ICC.1:2001-04). */
import { number } from './png-writer.ts';

const D50 = [0.9642, 1, 0.8249];

/** Columns of RGB to XYZ at D50, as published in profiles. */
export const COLORANTS = {
  srgb: [
    [0.43607, 0.22249, 0.01392],
    [0.38515, 0.71687, 0.09708],
    [0.14307, 0.06061, 0.7141],
  ],
  p3: [
    [0.51512, 0.2412, -0.00105],
    [0.29198, 0.69225, 0.04189],
    [0.1571, 0.06657, 0.78407],
  ],
  adobe: [
    [0.60978, 0.31112, 0.01947],
    [0.2053, 0.62565, 0.06088],
    [0.14922, 0.06322, 0.74475],
  ],
  rec2020: [
    [0.67352, 0.27906, -0.00193],
    [0.1657, 0.67532, 0.02998],
    [0.12508, 0.04562, 0.79706],
  ],
  prophoto: [
    [0.79776, 0.28807, 0],
    [0.13519, 0.71184, 0],
    [0.03135, 0.00009, 0.8251],
  ],
} as const;

export const greyProfile = (exponent: number): Buffer =>
  profile('GRAY', { wtpt: xyz(D50), kTRC: curve(exponent) });

/** One curve for all channels: an exponent, or the bytes of a tag. */
export function rgbProfile(colorants: keyof typeof COLORANTS, tag: number | Buffer): Buffer {
  const [red, green, blue] = COLORANTS[colorants];
  const trc = typeof tag === 'number' ? curve(tag) : tag;
  const columns = { rXYZ: xyz(red), gXYZ: xyz(green), bXYZ: xyz(blue) };
  return profile('RGB ', { wtpt: xyz(D50), ...columns, rTRC: trc, gTRC: trc, bTRC: trc });
}

function profile(space: string, tags: Readonly<Record<string, Buffer>>): Buffer {
  const entries = Object.entries(tags);
  let at = 132 + entries.length * 12;
  const table = entries.map(([name, tag]) => {
    const entry = Buffer.concat([Buffer.from(name, 'latin1'), number(at, 4), number(tag.length, 4)]);
    at += tag.length;
    return entry;
  });
  const header = Buffer.alloc(128);
  header.writeUInt32BE(at);
  header.writeUInt32BE(0x02200000, 8);
  header.write(`mntr${space}XYZ `, 12, 'latin1');
  for (const [i, value] of [2000, 1, 1].entries()) header.writeUInt16BE(value, 24 + i * 2);
  header.write('acsp', 36, 'latin1');
  Buffer.concat(D50.map(fixed)).copy(header, 68);
  return Buffer.concat([header, number(entries.length, 4), ...table, ...entries.map(([, tag]) => tag)]);
}

function fixed(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeInt32BE(Math.round(value * 65_536));
  return data;
}

const xyz = (values: readonly number[]): Buffer =>
  Buffer.concat([Buffer.from('XYZ \0\0\0\0', 'latin1'), ...values.map(fixed)]);

/** One exponent in 256ths, padded to a multiple of 4 bytes. */
const curve = (exponent: number): Buffer =>
  Buffer.concat([
    Buffer.from('curv\0\0\0\0', 'latin1'),
    number(1, 4),
    number(Math.round(exponent * 256), 2),
    number(0, 2),
  ]);

/** A curve through points 0 to 1; no points mean a straight line. */
export const table = (points: readonly number[]): Buffer =>
  padded(
    Buffer.concat([
      Buffer.from('curv\0\0\0\0', 'latin1'),
      number(points.length, 4),
      ...points.map((point) => number(Math.round(point * 65_535), 2)),
    ]),
  );

/** A curve by one of the five formulas of ICC.1:2022, 10.18. */
export const parametric = (type: number, ...values: readonly number[]): Buffer =>
  Buffer.concat([Buffer.from('para\0\0\0\0', 'latin1'), number(type, 2), number(0, 2), ...values.map(fixed)]);

const padded = (tag: Buffer): Buffer => Buffer.concat([tag, Buffer.alloc((4 - (tag.length % 4)) % 4)]);
