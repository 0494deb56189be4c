/** The readers that settings are given as `Later`. */
export { sizeOr } from './size.ts';
export { count, duration, wholeNumberOr } from './values.ts';
export { readVariants } from './variants.ts';
