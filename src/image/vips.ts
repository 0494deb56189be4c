import { createRequire } from 'node:module';
import type SharpConstructor from 'sharp';
import { orUndefined } from '../errors.ts';
import type { Limits } from '../model.ts';
import { FORMATS as WRITTEN } from '../variants/formats.ts';
import { READ, READERS } from './formats.ts';

/** Configures sharp: one thread per picture, no cache, and only the allowed decoders. */

// With `import`, Node first parses each file of sharp for its export names: 33 ms of 120 (Node 20).
const require = createRequire(import.meta.url);
const sharp: typeof SharpConstructor = require('sharp');

sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoad'] });
// The File loaders read only sources that are too large for memory.
sharp.unblock({
  operation: READ.flatMap((format) => {
    const { loader } = READERS[format];
    if (loader === undefined || format === 'svg') return [];
    return [`VipsForeignLoad${loader}Buffer`, `VipsForeignLoad${loader}File`];
  }),
});

/** SVG is never read by path: librsvg would then load other files from the SVG's folder. */
export function allowSvg(limits: Limits): void {
  const operation = ['VipsForeignLoadSvgBuffer'];
  if (limits.allowSvg) sharp.unblock({ operation });
  else sharp.block({ operation });
}

/** The package that decodes HEIC, with its version; undefined where it is not installed. */
const HEIC = orUndefined(() => {
  const { version } = require('libheif-js/package.json') as { readonly version: string };
  return { 'libheif-js': version };
});

const { vips, webp, mozjpeg, png, heif, aom } = sharp.versions;

/** Versions of the libraries that affect outputs. */
export const ENCODER = Object.entries({ libvips: vips, webp, mozjpeg, png, heif, aom })
  .map(([name, version]) => `${name} ${version ?? 'unknown'}`)
  .join(' ');

/** Versions, and the formats that this build reads and writes. */
export const ENGINE = {
  versions: { sharp: sharp.versions.sharp ?? 'unknown', libvips: vips, ...HEIC },
  reads: READ.filter((format) => format !== 'heic' || HEIC !== undefined).map((format) =>
    format === 'svg' ? 'svg (with --allow-svg)' : format,
  ),
  writes: WRITTEN.filter((format) => sharp.format[format === 'avif' ? 'heif' : format].output.buffer),
};

export { sharp };
