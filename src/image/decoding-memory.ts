import type { PixelSize } from '../model.ts';
import { isWhole } from './corrections.ts';
import type { Base } from './plan.ts';
import { jpegShrink, webpShrink } from './steps/decode.ts';
import type { Header } from './steps/header.ts';

/** Memory for decoding a picture to a base. `estimateMemory` (memory.ts) says how the figures were measured. */

/** The most rows that libvips keeps in memory while it scales down row by row. */
const ROWS = 2000;
/** Each step and thread keeps rows of its own: a low picture takes the memory of more rows than it has. */
const LOW = { rows: 230, each: 3, most: 1100 };

/**
 * Rows in memory while a picture of this height is scaled down. Measured with 2,000,000 x 10 to 100,000 x 2000 pixels: 120
 * rows for a height of 4, 160 for 10, 250 for 40, 700 for 200, 1040 for 400.
 */
const rowsHeld = (height: number): number =>
  Math.max(Math.min(height, ROWS), Math.min(LOW.rows + LOW.each * height, LOW.most));

/** Memory of the decoder in bytes, without the decoded base. */
export function decoder(header: Header, base: Base): number {
  const { format, progressive, alpha, pixelBytes, stored, pages } = header;
  const pixels = area(header) * pages;
  const { region, zoom } = base;
  const isFull = base.width === header.width && base.height === header.height;
  const rows = isFull ? 0 : stored.width * rowsHeld(stored.height) * pixelBytes * (alpha ? 1.7 : 1);
  // A picture is turned after it is scaled. A region is cut from the turned picture, so all of it is turned.
  const turning = header.turned ? area(region === null ? base : header) * pages * pixelBytes : 0;
  switch (format) {
    case 'jpeg': {
      // The decoder keeps all coefficients, 2 bytes each, until it has read the last scan.
      const coefficients = progressive ? pixels * 2 * header.samples : 0;
      const shrink = jpegShrink(header, base);
      return coefficients + (rows / shrink ** 2) * (shrink === 1 ? 1 : 3) + turning;
    }
    case 'png':
      return (progressive ? pixels * pixelBytes : 0) + rows + turning;
    case 'webp': {
      const first = webpShrink(header, base);
      if (first === null) {
        return pixels * wholeWebp(header) + (region === null ? 0 : rows) + turning;
      }
      // The decoder scales a lossy picture while it decodes, and a lossless picture afterwards.
      return pixels * (header.lossless ? 4.2 : alpha ? 2 : 0.2) + area(first) * 4 * pixelBytes + turning;
    }
    case 'avif':
      return pixels * (alpha ? 24 : 19) * (pixelBytes > 4 ? 1.4 : 1) + turning;
    case 'gif':
      return pixels * 4 + rows;
    case 'svg':
      // A region is cut from the whole drawing.
      return rows + area(zoom > 1 ? header : base) * zoom ** 2 * 4;
    default:
      return rows + turning;
  }
}

/** Up to this size in bytes, blocks of memory are reused (src/adapters/worker-pool/child.ts) and cleared when they are. */
const REUSED = 32 * 2 ** 20;

/** Bytes per pixel for decoding a whole WebP: libwebp has several canvases of 4 bytes, and leaves one of them untouched. */
function wholeWebp({ alpha, ...size }: Header): number {
  if (area(size) * 4 > REUSED) return alpha ? 12.5 : 8.5;
  return alpha ? 21.5 : 16;
}

/** Bytes of the samples that are corrected after decoding. */
export function corrector({ corrections, pixelBytes, pages, ...size }: Header, base: PixelSize): number {
  return corrections === null ? 0 : area(isWhole(corrections) ? size : base) * pages * pixelBytes;
}

export const area = ({ width, height }: PixelSize): number => width * height;
