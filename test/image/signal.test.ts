import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { withNclx } from './avif-writer.ts';
import { deltaE, meanDeltaE, srgbDecode } from './delta-e.ts';
import { greyProfile, rgbProfile } from './icc-writer.ts';
import { exact, file, rendered, rgb, scratch, shared } from './pictures.ts';
import { chrm, chunk, cicp, gama, iccp, png } from './png-writer.ts';
import { each, gamma, hlgEncode, pqEncode, SIDE, samplesOf, srgbEncode, WANTED } from './signals.ts';

const folder = scratch();
const cases = shared('cases/colour');

type Triple = readonly [number, number, number];

const asPng = (samples: readonly number[], bits: 8 | 16, ...before: Buffer[]): Buffer =>
  png(
    {
      data: samples.map((v) => Math.round(v * (2 ** bits - 1))),
      ...{ width: SIDE, height: SIDE, channels: 3, bits },
    },
    before,
  );

async function asAvif(
  samples: readonly number[],
  bitdepth: 8 | 10 | 12,
  primaries: number,
  transfer: number,
) {
  const raw = Uint16Array.from(samples, (v) => Math.round(v * 65_535));
  const avif = await sharp(raw, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .toColourspace('rgb16')
    .avif({ bitdepth, quality: 100, chromaSubsampling: '4:4:4', effort: 0 })
    .toBuffer();
  return withNclx(avif, primaries, transfer);
}

const shown = async (source: Buffer): Promise<Uint8Array> =>
  (await rgb((await rendered(folder, source, [exact()])).bytes[0]!)).data;

const P3 = samplesOf('p3', each(srgbEncode));
const PQ = samplesOf('rec2020', each(pqEncode));
const HLG = samplesOf('rec2020', hlgEncode);
const WIDE = samplesOf('rec2020', each(srgbEncode));
const ADOBE = samplesOf('adobe', gamma(2.19921875));
const SRGB = [...WANTED].map((v) => v / 255);
const ADOBE_CHRM = chrm(0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06);

const SIGNALS: readonly (readonly [string, () => Buffer | Promise<Buffer>])[] = [
  ['AVIF nclx P3, 8 bits', () => asAvif(P3, 8, 12, 13)],
  ['AVIF nclx P3, 10 bits', () => asAvif(P3, 10, 12, 13)],
  ['AVIF nclx Rec. 2020, sRGB curve, 10 bits', () => asAvif(WIDE, 10, 9, 13)],
  ['AVIF nclx Rec. 2020, its own curve, 12 bits', () => asAvif(WIDE, 12, 9, 15)],
  ['AVIF nclx Rec. 2020 PQ, 10 bits', () => asAvif(PQ, 10, 9, 16)],
  ['AVIF nclx Rec. 2020 PQ, 12 bits', () => asAvif(PQ, 12, 9, 16)],
  ['AVIF nclx P3 PQ, 10 bits', () => asAvif(samplesOf('p3', each(pqEncode)), 10, 12, 16)],
  ['AVIF nclx Rec. 2020 HLG, 10 bits', () => asAvif(HLG, 10, 9, 18)],
  ['PNG cICP P3, 8 bits', () => asPng(P3, 8, cicp(12, 13))],
  ['PNG cICP P3, 16 bits', () => asPng(P3, 16, cicp(12, 13))],
  ['PNG cICP Rec. 2020, 16 bits', () => asPng(WIDE, 16, cicp(9, 13))],
  ['PNG cICP Rec. 2020 PQ, 16 bits', () => asPng(PQ, 16, cicp(9, 16))],
  ['PNG cICP Rec. 2020 PQ, 8 bits', () => asPng(PQ, 8, cicp(9, 16))],
  ['PNG cICP Rec. 2020 HLG, 16 bits', () => asPng(HLG, 16, cicp(9, 18))],
  ['PNG cICP Rec. 2020 HLG, 8 bits', () => asPng(HLG, 8, cicp(9, 18))],
  ['PNG cICP linear, 16 bits', () => asPng(samplesOf('srgb', gamma(1)), 16, cicp(1, 8))],
  [
    'PNG cICP P3, narrow range',
    () =>
      asPng(
        P3.map((v) => (16 + 219 * v) / 255),
        8,
        cicp(12, 13, 0),
      ),
  ],
  [
    'PNG cICP sRGB, narrow range',
    () =>
      asPng(
        SRGB.map((v) => (16 + 219 * v) / 255),
        8,
        cicp(1, 13, 0),
      ),
  ],
  ['PNG gAMA 1.0, 8 bits', () => asPng(samplesOf('srgb', gamma(1)), 8, gama(100_000))],
  ['PNG gAMA 1.0, 16 bits', () => asPng(samplesOf('srgb', gamma(1)), 16, gama(100_000))],
  ['PNG gAMA 1.8, 8 bits', () => asPng(samplesOf('srgb', gamma(1.8)), 8, gama(55_556))],
  ['PNG gAMA 1.8, 16 bits', () => asPng(samplesOf('srgb', gamma(1.8)), 16, gama(55_556))],
  ['PNG gAMA and cHRM of Adobe RGB, 8 bits', () => asPng(ADOBE, 8, gama(45_470), ADOBE_CHRM)],
  ['PNG gAMA and cHRM of Adobe RGB, 16 bits', () => asPng(ADOBE, 16, gama(45_470), ADOBE_CHRM)],
  [
    'RGB of 16 bits, ICC sRGB gamma 2.2',
    () => asPng(samplesOf('srgb', gamma(2.19921875)), 16, iccp(rgbProfile('srgb', 2.2))),
  ],
  [
    'RGB of 16 bits, ICC sRGB linear',
    () => asPng(samplesOf('srgb', gamma(1)), 16, iccp(rgbProfile('srgb', 1))),
  ],
  ...([8, 16] as const).flatMap((bits) =>
    (
      [
        ['p3', 'P3', 2.2],
        ['adobe', 'Adobe RGB', 2.2],
        ['rec2020', 'Rec. 2020', 2.4],
        ['prophoto', 'ProPhoto', 1.8],
      ] as const
    ).map(([primaries, name, exponent]) => {
      const samples = samplesOf(primaries, gamma(Math.round(exponent * 256) / 256));
      const icc = iccp(rgbProfile(primaries, exponent));
      return [`RGB of ${bits} bits, ICC ${name}`, () => asPng(samples, bits, icc)] as const;
    }),
  ),
  [
    'RGB of 16 bits, ICC P3 gamma 1.8',
    () => asPng(samplesOf('p3', gamma(1.80078125)), 16, iccp(rgbProfile('p3', 1.8))),
  ],
];

const table: string[] = [];
/** Prints measured values when set. */
afterAll(() => {
  if (process.env.COLOUR_TABLE) console.log(table.join('\n'));
});

function judge(name: string, found: Uint8Array, wanted: Uint8Array): void {
  const mean = meanDeltaE(found, wanted);
  table.push(`${mean.toFixed(3)}  ${name}`);
  expect(mean).toBeLessThan(1);
}

describe('CIEDE2000', () => {
  it.each([
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, -1.3802, -84.2814], [50, 0, -82.7485], 1],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[50, 2.5, 0], [58, 24, 15], 19.4535],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ] as [Triple, Triple, number][])('of %j and %j is %d, as published', (a, b, published) => {
    expect(deltaE(a, b)).toBeCloseTo(published, 4);
  });
});

describe('a signal that is not sRGB becomes sRGB', () => {
  it.each(SIGNALS)('%s', async (name, source) => {
    judge(name, await shown(await source()), WANTED);
  });

  const LUMINANCE = WANTED.filter((_, i) => i % 3 === 0);
  const greyWanted = Uint8Array.from(WANTED, (_, i) => LUMINANCE[Math.floor(i / 3)]!);

  it.each([1, 1.8, 2.2])('grey of 16 bits, with and without transparency, ICC gamma %d', async (exponent) => {
    const stored = Math.round(exponent * 256) / 256;
    const samples = [...LUMINANCE].map((v) => Math.round(srgbDecode(v / 255) ** (1 / stored) * 65_535));
    const icc = iccp(greyProfile(exponent));
    const size = { width: SIDE, height: SIDE, bits: 16 } as const;
    judge(
      `grey of 16 bits, ICC gamma ${exponent}`,
      await shown(png({ ...size, data: samples, channels: 1 }, [icc])),
      greyWanted,
    );
    const both = samples.flatMap((v) => [v, 30_000]);
    const { bytes } = await rendered(folder, png({ ...size, data: both, channels: 2 }, [icc]), [exact()]);
    judge(`grey of 16 bits with alpha, ICC gamma ${exponent}`, (await rgb(bytes[0]!)).data, greyWanted);
    const alpha = await sharp(bytes[0]!).extractChannel(3).raw().toBuffer();
    expect(new Set(alpha)).toEqual(new Set([117]));
  });

  it.each([1, 1.8, 2.2])('grey of 8 bits, ICC gamma %d', async (exponent) => {
    const stored = Math.round(exponent * 256) / 256;
    const samples = [...LUMINANCE].map((v) => Math.round(srgbDecode(v / 255) ** (1 / stored) * 255));
    const source = { width: SIDE, height: SIDE, channels: 1, bits: 8, data: samples } as const;
    // Few samples of 8 bits are dark enough for LUMINANCE: what is stored decides.
    const wanted = samples.flatMap((v) => Array<number>(3).fill(srgbEncode((v / 255) ** stored) * 255));
    const found = await shown(png(source, [iccp(greyProfile(exponent))]));
    judge(`grey of 8 bits, ICC gamma ${exponent}`, found, Uint8Array.from(wanted, Math.round));
    expect(Math.max(...wanted.map((v, k) => Math.abs(v - found[k]!)))).toBeLessThan(1);
  });

  it('and keeps its transparency of 8 and 16 bits', async () => {
    for (const bits of [8, 16] as const) {
      const most = 2 ** bits - 1;
      const data = P3.flatMap((v, i) => (i % 3 === 2 ? [v, 0.4] : [v])).map((v) => Math.round(v * most));
      const source = png({ data, width: SIDE, height: SIDE, channels: 4, bits }, [cicp(12, 13)]);
      const { bytes } = await rendered(folder, source, [exact()]);
      expect(meanDeltaE((await rgb(bytes[0]!)).data, WANTED)).toBeLessThan(1);
      const alpha = await sharp(bytes[0]!).extractChannel(3).raw().toBuffer();
      expect(new Set(alpha)).toEqual(new Set([102]));
    }
  });

  it('even when scaled down', async () => {
    const half = await sharp(Buffer.from(WANTED), { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .resize(SIDE / 2)
      .raw()
      .toBuffer();
    for (const source of [
      asPng(PQ, 16, cicp(9, 16)),
      asPng(P3, 8, cicp(12, 13)),
      await asAvif(HLG, 10, 9, 18),
    ]) {
      const { bytes } = await rendered(folder, source, [exact({ width: SIDE / 2 })]);
      expect(meanDeltaE((await rgb(bytes[0]!)).data, half)).toBeLessThan(1);
    }
  });
});

describe('among the colour chunks of a PNG', () => {
  const same = async (source: Buffer) => expect(meanDeltaE(await shown(source), WANTED)).toBeLessThan(1);
  const srgb = chunk('sRGB', Buffer.from([0]));

  it('cICP takes precedence over a profile, sRGB, gAMA and cHRM', async () => {
    await same(asPng(P3, 8, cicp(12, 13), iccp(rgbProfile('srgb', 1)), srgb, gama(100_000), ADOBE_CHRM));
    await same(asPng(SRGB, 8, cicp(1, 13), iccp(rgbProfile('p3', 1))));
  });

  it('a profile takes precedence over sRGB, gAMA and cHRM', async () => {
    await same(
      asPng(samplesOf('p3', gamma(2.19921875)), 8, iccp(rgbProfile('p3', 2.2)), gama(100_000), ADOBE_CHRM),
    );
  });

  it('sRGB takes precedence over gAMA and cHRM', async () => {
    await same(asPng(SRGB, 8, srgb, gama(100_000), ADOBE_CHRM));
  });

  it('code points without a meaning are ignored', async () => {
    await same(asPng(ADOBE, 8, cicp(3, 99), gama(45_470), ADOBE_CHRM));
    await same(asPng(SRGB, 8, cicp(2, 2)));
  });

  it('gAMA of 1/2.2 with the primaries of sRGB or without primaries changes no byte', async () => {
    const plain = await shown(asPng(SRGB, 8));
    expect(plain).toEqual(await shown(asPng(SRGB, 8, gama(45_455))));
    const primaries = chrm(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06);
    expect(plain).toEqual(await shown(asPng(SRGB, 8, gama(45_455), primaries)));
  });

  it('impossible primaries are ignored', async () => {
    await same(asPng(SRGB, 8, chrm(0, 0, 0, 0, 0, 0, 0, 0)));
  });

  it.each([0, 1, 10, 999, 10_000_001, 0x7fffffff, 0xffffffff])(
    'a gamma out of range is ignored: %d',
    async (value) => {
      await same(asPng(SRGB, 8, gama(value)));
      await same(asPng(samplesOf('adobe', each(srgbEncode)), 8, gama(value), ADOBE_CHRM));
    },
  );

  it.each([1000, 10_000_000])('a gamma at the end of the range is used: %d', async (value) => {
    const grey = Array.from({ length: SIDE * SIDE * 3 }, () => 254 / 255);
    const wanted = Math.round(srgbEncode((254 / 255) ** (100_000 / value)) * 255);
    for (const found of await shown(asPng(grey, 8, gama(value))))
      expect(Math.abs(found - wanted)).toBeLessThan(2);
  });

  it('chunks after the pixels are ignored', async () => {
    const data = Uint8Array.from(WANTED);
    await same(png({ data, width: SIDE, height: SIDE, channels: 3, bits: 8 }, [], [gama(100_000)]));
  });
});

describe('of the shared cases', () => {
  it.skipIf(cases === null).each([
    ['avif-p3-nclx.avif', 'base.png'],
    ['png-cicp-p3.png', 'base.png'],
    ['p3-icc8.png', 'base.png'],
    ['png-gama-1.8.png', 'base.png'],
    ['gray16-gamma22.png', 'grey-expected.png'],
  ])('%s looks like %s', async (name, wanted) => {
    const { data } = await rgb(await readFile(join(cases!, wanted)));
    judge(`shared ${name}`, await shown(await readFile(join(cases!, name))), data);
  });
});

describe('an AVIF with code points of sRGB or none', () => {
  it.each([
    [1, 13],
    [2, 2],
    [1, 1],
    [250, 250],
  ])('%d and %d leaves every byte as it is', async (primaries, transfer) => {
    const avif = await asAvif(SRGB, 8, primaries, transfer);
    const decoded = await sharp(file(folder, avif)).raw().toBuffer();
    expect(Buffer.from(await shown(avif))).toEqual(decoded);
  });
});
