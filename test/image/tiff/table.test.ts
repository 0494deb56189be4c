import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ImgtoolError } from '../../../src/errors.ts';
import { exact, rendered, scratch } from '../pictures.ts';
import { type Colour, KINDS, type Kind, pictureOf } from './colours.ts';
import type { Packing } from './pack.ts';
import { type SampleFormat, writeTiff } from './write.ts';

const folder = scratch();

const ALPHAS = ['no', 'associated', 'unassociated'] as const;
const BITS: readonly (readonly [number, SampleFormat])[] = [
  ...[1, 2, 4, 8, 12, 16, 24, 32, 64].map((bits) => [bits, 'uint'] as const),
  ...[8, 16, 24, 32, 64].map((bits) => [bits, 'int'] as const),
  ...[16, 24, 32, 64].map((bits) => [bits, 'float'] as const),
];
const PACKINGS: readonly (readonly [Packing, 1 | 2])[] = [
  ['none', 1],
  ['lzw', 1],
  ['deflate', 1],
  ['packbits', 1],
  ['lzw', 2],
];

interface Case {
  readonly kind: Kind;
  readonly bits: number;
  readonly format: SampleFormat;
  readonly alpha: (typeof ALPHAS)[number];
  readonly tiled: boolean;
  readonly planar: boolean;
}

const CASES: Case[] = KINDS.flatMap((kind) =>
  BITS.flatMap(([bits, format]) =>
    ALPHAS.flatMap((alpha) =>
      [false, true].flatMap((tiled) =>
        [false, true].map((planar) => ({ kind, bits, format, alpha, tiled, planar })),
      ),
    ),
  ),
);

/** Completed, with the mean difference (0 to 255) to the computed picture; or refused, with the reason. */
type Outcome = { readonly difference: number } | { readonly refused: string };

async function outcomeOf(each: Case, index: number, endian: number): Promise<Outcome> {
  const [packing, predictor] = PACKINGS[index % PACKINGS.length]!;
  const isWhole = each.bits % 8 === 0 && each.format !== 'float' && each.bits < 64;
  const { picture, expected } = pictureOf(each);
  const bytes = writeTiff({
    ...picture,
    tile: each.tiled ? 16 : null,
    planar: each.planar,
    packing,
    predictor: isWhole && each.kind !== 'YCbCr' ? predictor : 1,
    bigEndian: endian % 2 === 1,
    bigTiff: endian % 4 > 1,
    directoryFirst: endian % 3 === 1,
  });
  try {
    const { bytes: outputs } = await rendered(folder, bytes, [exact()]);
    return { difference: await difference(outputs[0]!, expected) };
  } catch (error) {
    if (!(error instanceof ImgtoolError) || error.code !== 'unsupported_format') throw error;
    return { refused: error.message };
  }
}

/** Mean over all samples; transparent pixels have no colour. */
async function difference(output: Buffer, expected: (x: number, y: number) => Colour): Promise<number> {
  const { data, info } = await sharp(output).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  let sum = 0;
  for (let y = 0; y < info.height; y++)
    for (let x = 0; x < info.width; x++) {
      const at = (y * info.width + x) * info.channels;
      const grey = info.channels === 2;
      expected(x, y).forEach((value, i) => {
        sum += Math.abs(data[at + (grey ? (i === 3 ? 1 : 0) : i)]! - value * 255);
      });
    }
  return sum / (info.width * info.height * 4);
}

const nameOf = ({ kind, bits, format, alpha, tiled, planar }: Case): string =>
  [
    kind,
    `${bits}-bit`,
    format,
    `${alpha} alpha`,
    tiled ? 'tiles' : 'strips',
    planar ? 'planar' : 'contiguous',
  ].join(', ');

const CERTAIN = new Set<Kind>(['grey', 'white is zero', 'RGB', 'palette', 'CMYK']);
const isCertain = ({ kind, bits, format, planar }: Case): boolean =>
  CERTAIN.has(kind) && (bits === 8 || bits === 16) && format === 'uint' && !planar;

describe('TIFFs of every layout', () => {
  it.each(KINDS)(
    'are read with right pixels or refused for the right reason: %s',
    { timeout: 120_000 },
    async (kind) => {
      const rows: Record<string, string | number>[] = [];
      for (const [index, each] of CASES.entries()) {
        if (each.kind !== kind) continue;
        const outcome = await outcomeOf(each, index, index);
        const name = nameOf(each);
        if ('difference' in outcome) expect(outcome.difference, name).toBeLessThan(3);
        else {
          expect(outcome.refused, name).toMatch(reasonOf(each));
          expect(isCertain(each), `${name}: ${outcome.refused}`).toBe(false);
        }
        rows.push({ layout: name, ...outcome });
      }
      if (process.env.SHOW_TABLES !== undefined) console.table(rows);
    },
  );
});

/** The parts of a layout that the refusal may name. */
function reasonOf({ kind, bits, format, tiled, planar }: Case): RegExp {
  const reasons = [String.raw`\b${bits}-bit`];
  if (format === 'int') reasons.push('signed');
  if (format === 'float') reasons.push('floating-point');
  if (tiled && planar) reasons.push('tiles in separate planes');
  if (kind === 'YCbCr' && planar) reasons.push('separate planes');
  return new RegExp(reasons.join('|'));
}
