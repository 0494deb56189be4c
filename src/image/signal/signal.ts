import type { Matrix, Vector } from './matrix.ts';

/** Linear light of a sample; a sample is between 0 and 1, and 1.0 of light is the white of a screen. */
export type Curve = (sample: number) => number;

/** How the samples of a picture are to be read, where they are not sRGB. */
export interface Signal {
  /** One for each of red, green and blue. */
  readonly curves: readonly [Curve, Curve, Curve];
  /** Linear light to linear BT.709, row by row. */
  readonly toBt709: Matrix;
  /** Set for HLG, whose light depends on the luminance of the scene: the share of each colour in it. */
  readonly luminance: Vector | null;
}

/** Says that the samples are sRGB already. */
export type Srgb = 'srgb';
