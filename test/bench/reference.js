import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { scaleDown } from './lanczos.js';
import { ssim } from './ssim.js';
import { sizeOf, WIDTHS } from './variants.js';

/**
 * What a picture's variants would be without loss and without short cuts: decoded at its full size and scaled at once.
 * By variant: size and luminance.
 */
export async function referenceOf(path) {
  const { plane, ...source } = await luminance(path);
  return Object.fromEntries(
    Object.entries(WIDTHS).map(([name, width]) => {
      const size = sizeOf(source, width);
      return [name, { ...size, plane: size.width === source.width ? plane : scaleDown(plane, source, size) }];
    }),
  );
}

/** How near an output, by path or bytes, comes to its reference; or null when it is of another size. */
export async function likeness(output, reference) {
  const { plane, width, height } = await luminance(output);
  if (width !== reference.width || height !== reference.height) return null;
  return ssim(plane, reference.plane, reference);
}

/** Luminance by ITU-R BT.601, as SSIM is commonly taken of. */
async function luminance(picture) {
  // From memory: a file's pixels may be cached under its path.
  const { data, info } = await sharp(typeof picture === 'string' ? readFileSync(picture) : picture, {
    autoOrient: true,
  })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const plane = new Float64Array(width * height);
  for (let i = 0, at = 0; i < plane.length; i++, at += channels) {
    plane[i] = channels < 3 ? data[at] : 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  }
  return { plane, width, height };
}
