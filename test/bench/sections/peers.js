import { join } from 'node:path';
import { compare } from '../compare.js';
import { corpusOf, manifold } from '../corpus.js';
import { KEYS } from '../peers/index.js';
import { WIDTHS } from '../variants.js';

// No two variants of a photograph are alike, and tuned it does better still.
const WAYS = KEYS.filter((key) => !['floor-once', 'vipsthumbnail-several'].includes(key));

/** The photographs several times over, by imgtool and everything else that is here. */
export async function* peers({ place, folder, times, chosen, ...options }) {
  const originals = corpusOf(folder);
  const corpus = manifold(folder, times, join(place, 'photographs'));
  const looked = originals.files.map((file) => ({ ...file, name: `${file.name}-1` }));
  const megabytes = corpus.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  const widths = Object.values(WIDTHS).join(', ');
  yield [
    '### Photographs',
    '',
    `${corpus.files.length} photographs (${originals.files.length}, ${times} times over as distinct files; ` +
      `${megabytes.toFixed(0)} MB), each to WebP of ${widths} pixels across.`,
  ];
  yield* compare({ ...options, place, corpus, looked, ways: chosen ?? WAYS });
}
