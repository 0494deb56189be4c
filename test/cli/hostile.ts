import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ErrorCode } from '../../src/errors.ts';
import { filesBelow, jobsOf, type Outcome, type Place } from './imgtool.ts';

/** The expected result of each hostile file. A person inspected the files and wrote the results. */

type Fate = 'completed' | ErrorCode;

export const FATES: Readonly<Record<string, Fate>> = {
  'avif-ftyp-only.avif': 'corrupt',
  'bm-text.txt.bmp': 'not_an_image',
  'csv-matrix-named.png': 'not_an_image',
  'empty.jpg': 'not_an_image',
  // Its only frame has one pixel. The huge canvas that it claims is never drawn.
  'gif-16383x16383-1-frame.gif': 'completed',
  'gif-20000-frames-1x1.gif': 'too_many_frames',
  'gif-35-byte.gif': 'too_large',
  'gif-5000-frames-2000x2000.gif': 'too_many_frames',
  'gif-65535x65535.gif': 'too_large',
  // A frame of 8,224 x 8,224 px at offset 31,487 stretches the empty canvas to 654 Mpx.
  'gif-frame-outside-canvas.gif': 'too_large',
  'gif-jpeg-polyglot.gif': 'corrupt',
  'heic-ftyp-only.heic': 'corrupt',
  'html-named.jpg': 'not_an_image',
  'ico-cur-huge-count.ico': 'corrupt',
  // The file ends where its pixels should begin.
  'jpeg-65535x65535-header-only.jpg': 'corrupt',
  'jpeg-exif-loop.jpg': 'corrupt',
  'jpeg-only-soi.jpg': 'corrupt',
  'one-byte.png': 'not_an_image',
  // libpng refuses to unpack the metadata of these three. Outputs have no metadata.
  'png-100k-text-chunks.png': 'completed',
  'png-iccp-bomb-100MB.png': 'completed',
  'png-ztxt-bomb-100MB.png': 'completed',
  // 256 Mpx of one colour in 750 kB: valid, within the limit, and decoded row by row.
  'png-16000x16000-rgb-under-limit.png': 'completed',
  'png-1x1-claims-2147483647.png': 'corrupt',
  'png-50000x50000-1bit.png': 'too_large',
  'png-interlaced-truncated.png': 'corrupt',
  'png-only-signature.png': 'corrupt',
  'private-all-metadata.jpg': 'completed',
  'secret-red.png': 'completed',
  'svg-billion-laughs.svg': 'unsupported_format',
  'svg-deep-nesting.svg': 'unsupported_format',
  'svg-external-image-http.svg': 'unsupported_format',
  'svg-external-image-relative.svg': 'unsupported_format',
  'svg-huge-dimensions.svg': 'unsupported_format',
  'svg-named.jpg': 'unsupported_format',
  'svg-slow-filter.svg': 'unsupported_format',
  'svg-use-bomb.svg': 'unsupported_format',
  'svg-xxe-etc-passwd.svg': 'unsupported_format',
  'tiff-20000-pages.tif': 'too_many_frames',
  'tiff-4Gx4G.tif': 'corrupt',
  'tiff-65535-entries-truncated.tif': 'corrupt',
  // The same image in strips.
  'tiff-deflate-16000x16000.tif': 'completed',
  'tiff-huge-strip-count.tif': 'corrupt',
  // Its first page is complete. The link to the next page leads back to the first page.
  'tiff-ifd-loop.tif': 'completed',
  'vips-header-huge.v': 'not_an_image',
  'webp-riff-4GB-size.webp': 'corrupt',
  'webp-vp8x-16384x16384-nodata.webp': 'corrupt',
  'zeros-1MB.jpg': 'not_an_image',
  'zip-named.jpg': 'not_an_image',
  'good.jpg': 'completed',
};

/** The expected results of SVGs with --allow-svg: rendered without reading any other file, or refused. */
export const SVG_FATES: Readonly<Record<string, readonly Fate[]>> = {
  'svg-billion-laughs.svg': ['corrupt'],
  'svg-deep-nesting.svg': ['corrupt'],
  'svg-external-image-http.svg': ['completed'],
  'svg-external-image-relative.svg': ['completed'],
  'svg-huge-dimensions.svg': ['too_large'],
  'svg-named.jpg': ['completed'],
  // A slow machine can exceed the deadline.
  'svg-slow-filter.svg': ['completed', 'timeout'],
  'svg-use-bomb.svg': ['corrupt', 'timeout'],
  'svg-xxe-etc-passwd.svg': ['corrupt'],
};

/** Copies the hostile files and one good photograph to `photos`. */
export function putHostile(place: Place, from: string, wanted?: (name: string) => boolean): void {
  putCorpus(place, from, wanted);
  const good = fileURLToPath(new URL('../fixtures/photos/sunset.jpg', import.meta.url));
  copyFileSync(good, place.at('photos/good.jpg'));
}

/** Copies a folder's files to `photos`. The new folders are writable even if the original ones are not. */
export function putCorpus(place: Place, from: string, wanted: (name: string) => boolean = () => true): void {
  mkdirSync(place.at('photos'));
  for (const name of filesBelow(from).filter(wanted)) {
    mkdirSync(dirname(place.at('photos', name)), { recursive: true });
    copyFileSync(`${from}/${name}`, place.at('photos', name));
  }
}

/** The state or the error code of each file in `photos`. */
export function fatesOf(outcome: Outcome): Record<string, string> {
  const jobs = jobsOf(outcome).map(({ source, state, error }) => [
    source.slice('photos/'.length),
    error?.code ?? state,
  ]);
  return Object.fromEntries(jobs);
}
