import { join } from 'node:path';
import { compare } from '../compare.js';
import { corpusOf, manifold } from '../corpus.js';
import { KEYS } from '../peers/index.js';
import { WIDTHS } from '../variants.js';

// No two variants of a photograph are alike.
const WAYS = KEYS.filter((key) => key !== 'floor-once');

/** The photographs several times over, by imgtool and everything else that is here. */
export async function peers({ place, folder, times, chosen, ...options }) {
  const originals = corpusOf(folder);
  const corpus = manifold(folder, times, join(place, 'photographs'));
  const looked = originals.files.map((file) => ({ ...file, name: `${file.name}-1` }));
  const megabytes = corpus.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  const widths = Object.values(WIDTHS).join(', ');
  return [
    '### Photographs',
    '',
    `${corpus.files.length} photographs (${originals.files.length}, ${times} times over as distinct files; ` +
      `${megabytes.toFixed(0)} MB), each to WebP of ${widths} pixels across; ${options.rounds} rounds, medians, whole commands.`,
    '',
    ...(await compare({ ...options, place, corpus, looked, ways: chosen ?? WAYS })),
  ];
}
