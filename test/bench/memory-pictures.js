// The pictures that memory is measured with: many tiny ones, many photographs, giants.
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** Files of a folder; a tree of photographs has many folders, one of downloads a single one. */
const IN_A_FOLDER = 1_000;

/** So many pictures of 16x16, each with other bytes, in folders of a thousand or all in one. */
export async function tiny(folder, count, { flat = false } = {}) {
  const gradient = Buffer.from(Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 7) % 256));
  const jpeg = await sharp(gradient, { raw: { width: 16, height: 16, channels: 3 } })
    .jpeg()
    .toBuffer();
  for (let i = 0; i < count; i++) {
    const album = flat
      ? folder
      : join(folder, `album-${String(Math.floor(i / IN_A_FOLDER)).padStart(4, '0')}`);
    if (i === 0 || (!flat && i % IN_A_FOLDER === 0)) mkdirSync(album, { recursive: true });
    put(join(album, `IMG_${String(i).padStart(6, '0')}.jpg`), commented(jpeg, `number ${i}`));
  }
}

/** So many photographs: those of a folder over and over, each with other bytes and the same pixels. */
export function photographs(folder, count, photos) {
  const names = readdirSync(photos).filter((name) => /\.jpe?g$/i.test(name));
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const name = names[i % names.length];
    const bytes = commented(readFileSync(join(photos, name)), `number ${i}`);
    put(join(folder, `${String(i).padStart(4, '0')}-${name}`), bytes);
  }
}

/** A photograph side by side with itself until it has 200 Mpx, 4:2:0; made row by row, so it takes little memory. */
export async function giant(path, photo, { progressive }) {
  const tile = { width: 4_000, height: 2_500 };
  const { data, info } = await sharp(photo)
    .resize({ ...tile, fit: 'cover' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  await sharp(data, { raw: info, limitInputPixels: false })
    .extend({ right: 20_000 - tile.width, bottom: 10_000 - tile.height, extendWith: 'repeat' })
    .jpeg({ quality: 85, progressive, chromaSubsampling: '4:2:0' })
    .toFile(path);
}

/** Changed long ago: of what is new a re-run would look at the bytes. */
function put(path, bytes) {
  writeFileSync(path, bytes);
  utimesSync(path, 1_500_000_000, 1_500_000_000);
}

/** The same picture with other bytes. */
function commented(jpeg, text) {
  const head = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from(text), jpeg.subarray(2)]);
}
