import { colorantsToBt709, type Matrix, type Vector } from './matrix.ts';
import { type Curve, power, type Signal } from './signal.ts';

const IDENTITY: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** Returns the signal of an ICC profile (ICC.1:2022) of curves and a matrix; null for other or damaged profiles. */
export function signalOfProfile(icc: Buffer, kind: 'grey' | 'rgb'): Signal | null {
  try {
    if (icc.toString('latin1', 16, 20) !== SPACES[kind]) return null;
    const tags = tagsOf(icc);
    // Tables take precedence over curves.
    if ([...tags.keys()].some((name) => /^[AD]2B/.test(name))) return null;
    const tag = (name: string): Buffer => tags.get(name) ?? Buffer.alloc(0);
    return kind === 'grey' ? grey(icc, tag('kTRC')) : rgb(tag);
  } catch {
    // A tag is missing, of an unknown type, or outside the profile.
    return null;
  }
}

const SPACES = { grey: 'GRAY', rgb: 'RGB ' };

/** Tags by name. A profile has about twenty; more than a hundred mean damage. */
function tagsOf(icc: Buffer): ReadonlyMap<string, Buffer> {
  const tags = new Map<string, Buffer>();
  const count = Math.min(100, icc.readUInt32BE(128));
  for (let at = 132; at < 132 + count * 12; at += 12) {
    const start = icc.readUInt32BE(at + 4);
    tags.set(icc.toString('latin1', at, at + 4), icc.subarray(start, start + icc.readUInt32BE(at + 8)));
  }
  return tags;
}

function grey(icc: Buffer, tag: Buffer): Signal {
  const stored = curveOf(tag);
  // The connection space is XYZ or Lab. For Lab, the curve gives lightness.
  const isLab = icc.toString('latin1', 20, 24) === 'Lab ';
  const curve: Curve = isLab ? (v) => luminanceOf(stored(v) * 100) : stored;
  return { curves: [curve, curve, curve], toBt709: IDENTITY, luminance: null };
}

/** CIE 1976: Y of L*, with white at 1. */
const luminanceOf = (lightness: number): number =>
  lightness > 8 ? ((lightness + 16) / 116) ** 3 : (lightness * 27) / 24389;

function rgb(tag: (name: string) => Buffer): Signal {
  const toBt709 = colorantsToBt709(xyzOf(tag('rXYZ')), xyzOf(tag('gXYZ')), xyzOf(tag('bXYZ')));
  const curves = [curveOf(tag('rTRC')), curveOf(tag('gTRC')), curveOf(tag('bTRC'))] as const;
  return { curves, toBt709, luminance: null };
}

const xyzOf = (tag: Buffer): Vector => [fixed(tag, 8), fixed(tag, 12), fixed(tag, 16)];

const fixed = (tag: Buffer, at: number): number => tag.readInt32BE(at) / 65_536;

/** Reads `curv` and `para` (10.6 and 10.18), and clips the result to 0 to 1. */
function curveOf(tag: Buffer): Curve {
  const type = tag.toString('latin1', 0, 4);
  if (type !== 'curv' && type !== 'para') throw new RangeError(`no curve, but ${type}`);
  const curve = type === 'curv' ? sampled(tag) : parametric(tag);
  return (v) => Math.min(1, Math.max(0, curve(v) || 0));
}

function sampled(tag: Buffer): Curve {
  const count = tag.readUInt32BE(8);
  if (count === 0) return (v) => v;
  if (count === 1) return power(tag.readUInt16BE(12) / 256);
  if (tag.length < 12 + count * 2) throw new RangeError('a curve is cut short');
  const points = Float64Array.from({ length: count }, (_, i) => tag.readUInt16BE(12 + i * 2) / 65_535);
  return (v) => {
    const at = v * (count - 1);
    const below = Math.min(count - 2, Math.floor(at));
    return points[below]! + (points[below + 1]! - points[below]!) * (at - below);
  };
}

function parametric(tag: Buffer): Curve {
  const type = tag.readUInt16BE(8);
  const n = (i: number): number => fixed(tag, 12 + i * 4);
  const g = n(0);
  if (type === 0) return power(g);
  const [a, b] = [n(1), n(2)];
  const raised = (v: number): number => Math.max(0, a * v + b) ** g;
  switch (type) {
    case 1:
      return (v) => (v >= -b / a ? raised(v) : 0);
    case 2:
      return (v) => (v >= -b / a ? raised(v) : 0) + n(3);
    case 3:
      return (v) => (v >= n(4) ? raised(v) : n(3) * v);
    case 4:
      return (v) => (v >= n(4) ? raised(v) + n(5) : n(3) * v + n(6));
    default:
      throw new RangeError(`a parametric curve of type ${type}`);
  }
}
