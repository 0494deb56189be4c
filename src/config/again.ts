import type { Config } from '../config.ts';
import type { Limits } from '../model.ts';
import type { Flags } from './layers.ts';

/** The limits that were given on the command line: they take the place of those a batch of before was begun with. */
export function givenLimits({ limits }: Config, flags: Flags): Partial<Limits> {
  return {
    ...(flags.limitPixels === undefined ? {} : { pixels: limits.pixels }),
    ...(flags.allowSvg === undefined ? {} : { allowSvg: limits.allowSvg }),
    ...(flags.lenient === undefined ? {} : { lenient: limits.lenient }),
    ...(flags.timeout === undefined ? {} : { timeout: limits.timeout }),
  };
}
