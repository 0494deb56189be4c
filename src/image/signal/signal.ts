import type { Matrix, Vector } from './matrix.ts';

/** Converts a sample, 0 to 1, to linear light; 1.0 is the white of a screen. */
export type Curve = (sample: number) => number;

/** How to read samples that are not sRGB. */
export interface Signal {
  /** Red, green, blue. */
  readonly curves: readonly [Curve, Curve, Curve];
  /** Matrix from linear light to linear BT.709. */
  readonly toBt709: Matrix;
  /** For HLG only, whose light depends on the luminance of the scene: each colour's share of that luminance. */
  readonly luminance: Vector | null;
}

/** The samples are already sRGB. */
export type Srgb = 'srgb';
