/** Three rows. */
export type Matrix = readonly [Vector, Vector, Vector];
export type Vector = readonly [number, number, number];

/** x and y of a colour in the CIE 1931 diagram. */
export type Chromaticity = readonly [number, number];

export interface Primaries {
  readonly red: Chromaticity;
  readonly green: Chromaticity;
  readonly blue: Chromaticity;
  readonly white: Chromaticity;
}

const D65: Chromaticity = [0.3127, 0.329];

/** Primaries of ITU-R BT.709 and of sRGB (IEC 61966-2-1). */
export const BT709: Primaries = { red: [0.64, 0.33], green: [0.3, 0.6], blue: [0.15, 0.06], white: D65 };

/** White of the ICC connection space (ICC.1:2022, 7.2.16). */
const D50_XYZ: Vector = [0.9642, 1, 0.8249];

/** Matrix from linear RGB of these primaries to linear BT.709; white stays white. Null for impossible primaries. */
export function toBt709(primaries: Primaries): Matrix | null {
  const xyz = toXyz(primaries);
  const white = xyzOf(primaries.white);
  return xyz === null ? null : multiply(FROM_XYZ, multiply(adaptation(white, xyzOf(D65)), xyz));
}

/** The same for the colorants of an ICC profile: columns of the matrix from RGB to the connection space. */
export function colorantsToBt709(red: Vector, green: Vector, blue: Vector): Matrix {
  const columns = transposed([red, green, blue]);
  return multiply(FROM_XYZ, multiply(adaptation(D50_XYZ, xyzOf(D65)), columns));
}

/** The share of each primary in the luminance of white. */
export function luminance(primaries: Primaries): Vector | null {
  return toXyz(primaries)?.[1] ?? null;
}

/** The normalised primary matrix (SMPTE RP 177). */
function toXyz({ red, green, blue, white }: Primaries): Matrix | null {
  if ([red, green, blue, white].some(([x, y]) => !(x >= 0 && y > 0 && x + y <= 1.001))) return null;
  const columns = transposed([xyzOf(red), xyzOf(green), xyzOf(blue)]);
  const inverted = inverse(columns);
  if (inverted === null) return null;
  const [r, g, b] = times(inverted, xyzOf(white));
  return columns.map(([x, y, z]) => [x * r, y * g, z * b]) as unknown as Matrix;
}

const xyzOf = ([x, y]: Chromaticity): Vector => [x / y, 1, (1 - x - y) / y];

/** Cone responses of the Bradford adaptation (ICC.1:2022, annex E). */
const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

function adaptation(from: Vector, to: Vector): Matrix {
  const [before, after] = [times(BRADFORD, from), times(BRADFORD, to)];
  const scaled = BRADFORD.map((row, i) => row.map((n) => (n * after[i]!) / before[i]!)) as unknown as Matrix;
  return multiply(inverse(BRADFORD)!, scaled);
}

function inverse([a, b, c]: Matrix): Matrix | null {
  const crossed = [cross(b, c), cross(c, a), cross(a, b)] as const;
  const determinant = dot(a, crossed[0]);
  if (Math.abs(determinant) < 1e-6) return null;
  return transposed(crossed).map((row) => row.map((n) => n / determinant)) as unknown as Matrix;
}

function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = transposed(b);
  return a.map((row) => columns.map((column) => dot(row, column))) as unknown as Matrix;
}

const times = (a: Matrix, v: Vector): Vector => [dot(a[0], v), dot(a[1], v), dot(a[2], v)];

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

const transposed = ([a, b, c]: Matrix): Matrix => [
  [a[0], b[0], c[0]],
  [a[1], b[1], c[1]],
  [a[2], b[2], c[2]],
];

const FROM_XYZ = inverse(toXyz(BT709)!)!;
