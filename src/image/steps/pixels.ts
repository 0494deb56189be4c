import type { OutputInfo, Sharp } from 'sharp';
import { ImgtoolError } from '../../errors.ts';
import { sharp } from '../vips.ts';

/** Uncompressed 8-bit sRGB, row by row. 1 or 2 channels are grey; with 2 or 4, the last is alpha. */
export interface Pixels {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

export function from({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/**
 * Runs a pipeline and returns its pixels. `ushort` samples take 2 bytes in this machine's byte order. Errors:
 * `unsupported_format` for more than 4 channels.
 */
export async function raw(pipeline: Sharp, depth: 'uchar' | 'ushort' = 'uchar'): Promise<Pixels> {
  const { data, info } = await pipeline.raw({ depth }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: channels(info) };
}

function channels({ channels: n }: OutputInfo): Pixels['channels'] {
  if (n === 1 || n === 2 || n === 3 || n === 4) return n;
  throw new ImgtoolError(
    'unsupported_format',
    `the picture has ${n} colour channels, at most 4 can be read`,
    {
      fix: 'save it as an RGB picture without extra channels first',
    },
  );
}
