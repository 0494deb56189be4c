import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import sharp from 'sharp';

/** A folder of pictures: paths, largest first as all who deal them out in that order want them. */
export function corpusOf(folder) {
  const files = readdirSync(folder)
    .filter((name) => /\.jpe?g$/i.test(name))
    .map((name) => ({
      path: join(folder, name),
      name: parse(name).name,
      bytes: statSync(join(folder, name)).size,
    }))
    .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  return { folder, files };
}

/** The same photographs several times over, each a file of its own bytes that costs the same to decode. */
export function manifold(folder, times, into) {
  mkdirSync(into, { recursive: true });
  for (const { path, name } of corpusOf(folder).files) {
    const bytes = readFileSync(path);
    for (let n = 1; n <= times; n++) writeFileSync(join(into, `${name}-${n}.jpg`), commented(bytes, `${n}`));
  }
  const corpus = corpusOf(into);
  for (const { path } of corpus.files) settle(path);
  return corpus;
}

/** The same picture with other bytes. The text has at most 65,533 characters of ASCII. */
export function commented(jpeg, text) {
  const head = Buffer.from([0xff, 0xfe, (text.length + 2) >> 8, (text.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from(text), jpeg.subarray(2)]);
}

/** Pictures cut out of photographs, no two alike, in folders of a hundred unless they are to lie flat. */
export async function cuttings(folder, count, size, into, flat = false) {
  const sheets = await Promise.all(
    corpusOf(folder).files.map(({ path }) =>
      sharp(path)
        .autoOrient()
        .resize(1200, 1200, { fit: 'cover' })
        .raw()
        .toBuffer({ resolveWithObject: true }),
    ),
  );
  const made = [];
  const make = async (i) => {
    const { data, info } = sheets[i % sheets.length];
    const turn = Math.floor(i / sheets.length);
    const left = (turn * 97) % (info.width - size.width);
    const top = (turn * 61) % (info.height - size.height);
    const where = flat ? into : join(into, `album-${Math.floor(i / 100)}`);
    mkdirSync(where, { recursive: true });
    const jpeg = await sharp(data, { raw: info })
      .extract({ left, top, ...size })
      .flop(turn % 2 === 1)
      .jpeg({ quality: 85 })
      .toBuffer();
    const path = join(where, `IMG_${String(i).padStart(5, '0')}.jpg`);
    writeFileSync(path, commented(jpeg, `${i}`));
    made.push(path);
  };
  for (let i = 0; i < count; i += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - i) }, (_, k) => make(i + k)));
  }
  for (const path of made) settle(path);
  return made.sort();
}

/** As pictures are met with: nobody has just written them. */
function settle(path) {
  const then = Date.now() / 1000 - 86_400;
  utimesSync(path, then, then);
}
