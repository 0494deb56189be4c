import { colorantsToBt709, type Matrix, type Vector } from './matrix.ts';
import type { Curve, Signal } from './signal.ts';

const IDENTITY: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/**
 * Returns the signal of an ICC profile (ICC.1:2022) that consists of curves, or of curves and a matrix. Null for a
 * profile with tables, a damaged profile, and a profile for another kind of picture.
 */
export function signalOfProfile(icc: Buffer, kind: 'grey' | 'rgb'): Signal | null {
  try {
    if (icc.toString('latin1', 16, 20) !== SPACES[kind]) return null;
    const tags = tagsOf(icc);
    // Tables take precedence over curves.
    if ([...tags.keys()].some((name) => /^[AD]2B/.test(name))) return null;
    return kind === 'grey' ? grey(icc, tags) : rgb(tags);
  } catch {
    // A tag is outside the profile.
    return null;
  }
}

const SPACES = { grey: 'GRAY', rgb: 'RGB ' };

/** Tags by name. A profile has about twenty; more than a hundred mean damage. */
function tagsOf(icc: Buffer): ReadonlyMap<string, Buffer> {
  const count = Math.min(100, icc.readUInt32BE(128));
  const entries = Array.from({ length: count }, (_, i) => 132 + i * 12);
  return new Map(
    entries.map((at) => {
      const start = icc.readUInt32BE(at + 4);
      return [icc.toString('latin1', at, at + 4), icc.subarray(start, start + icc.readUInt32BE(at + 8))];
    }),
  );
}

function grey(icc: Buffer, tags: ReadonlyMap<string, Buffer>): Signal | null {
  const stored = curveOf(tags.get('kTRC'));
  if (stored === null) return null;
  // The connection space is XYZ or Lab. For Lab, the curve gives lightness.
  const isLab = icc.toString('latin1', 20, 24) === 'Lab ';
  const curve: Curve = isLab ? (v) => luminanceOf(stored(v) * 100) : stored;
  return { curves: [curve, curve, curve], toBt709: IDENTITY, luminance: null };
}

/** CIE 1976: Y of L*, with white at 1. */
const luminanceOf = (lightness: number): number =>
  lightness > 8 ? ((lightness + 16) / 116) ** 3 : (lightness * 27) / 24389;

function rgb(tags: ReadonlyMap<string, Buffer>): Signal | null {
  const [red, green, blue] = ['rTRC', 'gTRC', 'bTRC'].map((name) => curveOf(tags.get(name)));
  const colorants = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => tags.get(name));
  if (!red || !green || !blue || colorants.some((tag) => tag === undefined)) return null;
  const [r, g, b] = colorants.map((tag) => xyz(tag!));
  return { curves: [red, green, blue], toBt709: colorantsToBt709(r!, g!, b!), luminance: null };
}

const xyz = (tag: Buffer): Vector => [fixed(tag, 8), fixed(tag, 12), fixed(tag, 16)];

const fixed = (tag: Buffer, at: number): number => tag.readInt32BE(at) / 65_536;

/** Reads `curv` and `para` (10.6 and 10.18), and clips the result to 0 to 1. */
function curveOf(tag: Buffer | undefined): Curve | null {
  const type = tag?.toString('latin1', 0, 4);
  const curve = type === 'curv' ? sampled(tag!) : type === 'para' ? parametric(tag!) : null;
  return curve && ((v) => Math.min(1, Math.max(0, curve(v) || 0)));
}

function sampled(tag: Buffer): Curve {
  const count = tag.readUInt32BE(8);
  if (count === 0) return (v) => v;
  if (count === 1) {
    const exponent = tag.readUInt16BE(12) / 256;
    return (v) => v ** exponent;
  }
  if (tag.length < 12 + count * 2) throw new RangeError('a curve is cut short');
  const points = Float64Array.from({ length: count }, (_, i) => tag.readUInt16BE(12 + i * 2) / 65_535);
  return (v) => {
    const at = v * (count - 1);
    const below = Math.min(count - 2, Math.floor(at));
    return points[below]! + (points[below + 1]! - points[below]!) * (at - below);
  };
}

function parametric(tag: Buffer): Curve | null {
  const type = tag.readUInt16BE(8);
  const n = (i: number): number => fixed(tag, 12 + i * 4);
  const g = n(0);
  if (type === 0) return (v) => v ** g;
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
      return null;
  }
}
