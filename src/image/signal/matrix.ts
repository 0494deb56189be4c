type Triple<T> = readonly [T, T, T];
export type Vector = Triple<number>;
/** Three rows. */
export type Matrix = Triple<Vector>;

/** x and y of a colour in the CIE 1931 diagram. */
export type Chromaticity = readonly [number, number];

export type Primaries = Readonly<Record<'red' | 'green' | 'blue' | 'white', Chromaticity>>;

const D65: Chromaticity = [0.3127, 0.329];

/** Primaries of ITU-R BT.709 and of sRGB (IEC 61966-2-1). */
export const BT709: Primaries = { red: [0.64, 0.33], green: [0.3, 0.6], blue: [0.15, 0.06], white: D65 };

/** White of the ICC connection space (ICC.1:2022, 7.2.16). */
export const D50_XYZ: Vector = [0.9642, 1, 0.8249];

/** White of sRGB. */
export const D65_XYZ: Vector = xyzOf(D65);

/** Matrix from linear RGB of these primaries to linear BT.709; white stays white. Null for impossible primaries. */
export function toBt709(primaries: Primaries): Matrix | null {
  const xyz = toXyz(primaries);
  return xyz && adapted(xyz, xyzOf(primaries.white));
}

/** The same for the colorants of an ICC profile: columns of the matrix from RGB to the connection space. */
export const colorantsToBt709 = (...colorants: Matrix): Matrix => adapted(transposed(colorants), D50_XYZ);

/** The share of each primary in the luminance of white. */
export const luminance = (primaries: Primaries): Vector | null => toXyz(primaries)?.[1] ?? null;

/** The normalised primary matrix (SMPTE RP 177). */
function toXyz({ red, green, blue, white }: Primaries): Matrix | null {
  if ([red, green, blue, white].some(([x, y]) => !(x >= 0 && y > 0 && x + y <= 1.001))) return null;
  const columns = transposed([xyzOf(red), xyzOf(green), xyzOf(blue)]);
  const inverted = inverse(columns);
  if (inverted === null) return null;
  const scale = times(inverted, xyzOf(white));
  return map(columns, (row) => map(row, (n, i) => n * scale[i]));
}

function xyzOf([x, y]: Chromaticity): Vector {
  return [x / y, 1, (1 - x - y) / y];
}

/** Cone responses of the Bradford adaptation (ICC.1:2022, annex E). */
const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

/** The matrix from RGB to BT.709, by the matrix from RGB to XYZ and by the white that becomes D65. */
function adapted(xyz: Matrix, white: Vector): Matrix {
  const [before, after] = [times(BRADFORD, white), times(BRADFORD, xyzOf(D65))];
  const scaled = map(BRADFORD, (row, i) => map(row, (n) => (n * after[i]) / before[i]));
  return multiply(FROM_XYZ, multiply(multiply(inverse(BRADFORD)!, scaled), xyz));
}

function inverse([a, b, c]: Matrix): Matrix | null {
  const crossed: Matrix = [cross(b, c), cross(c, a), cross(a, b)];
  const determinant = dot(a, crossed[0]);
  if (Math.abs(determinant) < 1e-6) return null;
  return map(transposed(crossed), (row) => map(row, (n) => n / determinant));
}

function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = transposed(b);
  return map(a, (row) => times(columns, row));
}

const times = (a: Matrix, v: Vector): Vector => map(a, (row) => dot(row, v));

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

const cross = ([a, b, c]: Vector, [d, e, f]: Vector): Vector => [b * f - c * e, c * d - a * f, a * e - b * d];

const transposed = ([a, b, c]: Matrix): Matrix => map(a, (_, i) => [a[i], b[i], c[i]]);

function map<A, B>([a, b, c]: Triple<A>, convert: (each: A, i: 0 | 1 | 2) => B): Triple<B> {
  return [convert(a, 0), convert(b, 1), convert(c, 2)];
}

/** Matrix from XYZ to linear BT.709. */
export const FROM_XYZ = inverse(toXyz(BT709)!)!;
