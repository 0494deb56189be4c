import { join } from 'node:path';
import { compare } from '../compare.js';
import { corpusOf, cuttings } from '../corpus.js';

const SIZE = { width: 424, height: 318 };

/** Small pictures, of which what is neither decoding nor encoding is a greater part. */
export async function* small({ place, folder, chosen, count = 2000, ...options }) {
  const into = join(place, 'small');
  await cuttings(folder, count, SIZE, into, true);
  const corpus = corpusOf(into);
  const ways = chosen ?? ['imgtool', 'floor', 'floor-once'];
  yield [
    '### Small pictures',
    '',
    `${count} pictures of ${SIZE.width} × ${SIZE.height}, each to three WebP.`,
  ];
  yield* compare({ ...options, place, corpus, ways, looked: corpus.files.slice(0, 15) });
}
