import { describe, expect, it } from 'vitest';
import {
  formerSettingsOfAll,
  renamedSettings,
  settingsOfAll,
} from '../../../src/core/job/settings-digest.ts';
import type { Variant } from '../../../src/model.ts';
import { fullVariant } from '../../../src/variants/fields.ts';
import { BUILT_IN } from '../../../src/variants/presets.ts';
import { batchOptions } from '../../records.ts';

// Settings digests: the current ones, and those of indexes up to version 3. A changed digest would render libraries again.
const PINNED: Readonly<Record<string, readonly [now: string, former: string]>> = {
  'web thumbnail webp': [
    'f4cca2a22e079b2146a0501430afc32a7fbc75c674ad4d0d33b2a9ec66567f7b',
    '2448a85fe6c871f35759abdb5e2b808f0859dcdf04edca17b57c6449d286e001',
  ],
  'web medium webp': [
    '43e492a3aaf3d845f2fbecb07bbfff8388efa1b03961b2b4adb04e77c33e32af',
    'e513461dc3edbd72b3857efdd4c4f07bd1b8964f4607ac4f77370bdd165480c0',
  ],
  'web large webp': [
    'e74a4c1c877f71467ea20ae2ef827359c305a03d9c5d8c27d0eae0132c28e7e0',
    '59408578d3b16a1f0cf4dc869052d3acd48fbef2a8d3ae5c357b55d6e89e29c0',
  ],
  'archive thumbnail webp': [
    'f4cca2a22e079b2146a0501430afc32a7fbc75c674ad4d0d33b2a9ec66567f7b',
    '2448a85fe6c871f35759abdb5e2b808f0859dcdf04edca17b57c6449d286e001',
  ],
  'archive medium webp': [
    '43e492a3aaf3d845f2fbecb07bbfff8388efa1b03961b2b4adb04e77c33e32af',
    'e513461dc3edbd72b3857efdd4c4f07bd1b8964f4607ac4f77370bdd165480c0',
  ],
  'archive large webp': [
    'e74a4c1c877f71467ea20ae2ef827359c305a03d9c5d8c27d0eae0132c28e7e0',
    '59408578d3b16a1f0cf4dc869052d3acd48fbef2a8d3ae5c357b55d6e89e29c0',
  ],
  'archive original webp': [
    '85ebfb39a041ae6e4ad36ab63c3c0199c139c532c6dcc5fe8626270b621d55ca',
    'cd56ad1846aa4f942ed6c6707b7a2864daa4ff107e33598a7ab94aeaea7eeadc',
  ],
  'gallery standard webp': [
    'eea9f9dd1fed228526f7195dc5c01a8d8765914227c2772968a7cce1208fd49d',
    'f48719efaed811b6fa10a7116f07218009a73626c052d7c10d5c2b28e8505d2d',
  ],
  'gallery thumbnail webp': [
    '2fa2319c70f1b0d340f354b2da5c2fd1475a4bf2b460b71ff9ed663314229bad',
    'd4d280ebceda4d21577adad77a749e48de45a8f9dab732eb09d519a708f956cb',
  ],
  'gallery grayscale webp': [
    '2d8f8fd356b2691e6f9ccac2e7b0e0756c1ff7d7382650e9f9c4679beb2ac0cf',
    'a19931ce1cbdcc6e616b48a8735b6be8cb34c91cc10094251639e71e16ae3fd3',
  ],
  'compat thumbnail jpeg': [
    'd9d365c28bf213989114c13d5fe1c7d8faee8d5906840cdb7ea7e34882ae785c',
    '14b02db90f2d16c33eabb08e76303d38cd4a54a8506ff9fbc380a2d28a5caa8c',
  ],
  'compat thumbnail webp': [
    'f4cca2a22e079b2146a0501430afc32a7fbc75c674ad4d0d33b2a9ec66567f7b',
    '2448a85fe6c871f35759abdb5e2b808f0859dcdf04edca17b57c6449d286e001',
  ],
  'compat medium jpeg': [
    'eced2f766a8e2e4ae1aa2256f1ce074764eaab1c7ef8666f73f1faed8bc31849',
    'a7f967898e1404b0e0e8b59d3d9fdc02274f2a991981d8eb9112f4d51c8e4c3d',
  ],
  'compat medium webp': [
    '43e492a3aaf3d845f2fbecb07bbfff8388efa1b03961b2b4adb04e77c33e32af',
    'e513461dc3edbd72b3857efdd4c4f07bd1b8964f4607ac4f77370bdd165480c0',
  ],
  'compat large jpeg': [
    '7db1b032c882b41b9567e412be932c4846fa0af50447b6dede21778ab782e715',
    '9f61c6f397179e84a85c7e4acb45cf940fa6790f4b5fde09a09663558d85064c',
  ],
  'compat large webp': [
    'e74a4c1c877f71467ea20ae2ef827359c305a03d9c5d8c27d0eae0132c28e7e0',
    '59408578d3b16a1f0cf4dc869052d3acd48fbef2a8d3ae5c357b55d6e89e29c0',
  ],
  'web thumbnail webp lenient': [
    'f75eb7fed5f5417fde72717c84ab643bea19b01a7b9853b95995efd1a31ab063',
    '03bd63efc37d3774fe30b2d85ca46beb4a58e94cf5cf0362b2bb1e01450ccc97',
  ],
  'web medium webp lenient': [
    'c60d920d15e855d1f9d9b60d75aa480ed0e659883378f06e213daab150f9890c',
    'b97d3f3e6c3613795ded4fbf8b90e311436b171b64b5f51fbd05a56c8f15f1e5',
  ],
  'web large webp lenient': [
    '021b0885053a600fee3de01b2113d26451c1ab55f255372d58ee9f3385029318',
    'a67ccad15848719d9f966947dc1d97bb4df751983acb744f195da9a8ca617f96',
  ],
  'archive thumbnail webp lenient': [
    'f75eb7fed5f5417fde72717c84ab643bea19b01a7b9853b95995efd1a31ab063',
    '03bd63efc37d3774fe30b2d85ca46beb4a58e94cf5cf0362b2bb1e01450ccc97',
  ],
  'archive medium webp lenient': [
    'c60d920d15e855d1f9d9b60d75aa480ed0e659883378f06e213daab150f9890c',
    'b97d3f3e6c3613795ded4fbf8b90e311436b171b64b5f51fbd05a56c8f15f1e5',
  ],
  'archive large webp lenient': [
    '021b0885053a600fee3de01b2113d26451c1ab55f255372d58ee9f3385029318',
    'a67ccad15848719d9f966947dc1d97bb4df751983acb744f195da9a8ca617f96',
  ],
  'archive original webp lenient': [
    'de85f0105286a407b5acc4ac704d88dfb433f43b8209f7799c395aeb5ebb20ec',
    '1f4f6cc35d38a4ac0854bdeed071c030155e77c0556e46ccf063c899132f15ff',
  ],
  'gallery standard webp lenient': [
    '817649027b9302cddc56561421381272ae217528fea0687ae98915fabefa074a',
    'd99d1547b9b271bb710e3018342602413c0bb7e29f64a7e30434a64b1d5bbe2a',
  ],
  'gallery thumbnail webp lenient': [
    'f6d8596afa36f58ce36fc7c273e0cbea0f9ca29afeeb308ccc86dfe5b91b81ba',
    'f468c8ff6b086dddfd4452c860494bc6cdd36800c9a68e4f34dc694aa829ed54',
  ],
  'gallery grayscale webp lenient': [
    '5c77b3305e928cbc5b518199071e8671a6b5e609660229f682125de80a895dba',
    'aabd4efeccca868cb47f00fabaad1dad8ac5c71cac39ae45dc674eed5d702e14',
  ],
  'compat thumbnail jpeg lenient': [
    'a7a83d46c31fc05fc401cb81d034adfe586b3f5693a824d2f2ac5c692f3ebe99',
    '2eefa6f8d74ce75fed28433272913586579961f94323019d27aa21f9523314c4',
  ],
  'compat thumbnail webp lenient': [
    'f75eb7fed5f5417fde72717c84ab643bea19b01a7b9853b95995efd1a31ab063',
    '03bd63efc37d3774fe30b2d85ca46beb4a58e94cf5cf0362b2bb1e01450ccc97',
  ],
  'compat medium jpeg lenient': [
    '24b1fd382f4b3e75bc67678b91980d0a0dfedf80de974b10dc4f2940babac7d1',
    'bd98d52372d2ce37e2a98eed0ac3e860b93cdf0b9eb677efff8f637115b9e8fa',
  ],
  'compat medium webp lenient': [
    'c60d920d15e855d1f9d9b60d75aa480ed0e659883378f06e213daab150f9890c',
    'b97d3f3e6c3613795ded4fbf8b90e311436b171b64b5f51fbd05a56c8f15f1e5',
  ],
  'compat large jpeg lenient': [
    '668b211b864197bcfc8db46fa5b01fd9f3a671c59e17f1ee00caeed61e1b4474',
    'dcd665eb0aeec575fd43e615d266fe3c63cab4ebb879e9b786d066ab5bb05a35',
  ],
  'compat large webp lenient': [
    '021b0885053a600fee3de01b2113d26451c1ab55f255372d58ee9f3385029318',
    'a67ccad15848719d9f966947dc1d97bb4df751983acb744f195da9a8ca617f96',
  ],
};

const optionsOf = (preset: (typeof BUILT_IN)[number], lenient = false) => {
  const { limits } = batchOptions();
  return batchOptions({ preset, limits: { ...limits, lenient } });
};

const plain = fullVariant({ name: 'a', width: 5 });
const exact = { lenient: false };
const settingsOf = (one: Variant, limits: { readonly lenient: boolean }) =>
  settingsOfAll({ preset: { name: 'one', variants: [one] }, limits })[0];

describe('settings digests', () => {
  it.each([false, true])('of the built-in presets never change, with lenient %s', (lenient) => {
    for (const preset of BUILT_IN) {
      const options = optionsOf(preset, lenient);
      const [now, former] = [settingsOfAll(options), formerSettingsOfAll(options)];
      for (const [i, { name, format }] of preset.variants.entries()) {
        const key = `${preset.name} ${name} ${format}${lenient ? ' lenient' : ''}`;
        expect([now[i], former[i]], key).toEqual(PINNED[key]);
      }
    }
  });

  it('leave out fields at their off values, even fields that older records lack', () => {
    const { position: _, lossless: __, background: ___, ...older } = plain;
    expect(settingsOf(older as typeof plain, exact)).toBe(settingsOf(plain, exact));
  });

  it('leave out the name', () => {
    expect(settingsOf({ ...plain, name: 'b' }, exact)).toBe(settingsOf(plain, exact));
  });

  it.each([
    { height: 5 },
    { width: 6 },
    { height: 5, fit: 'cover' },
    { height: 5, fit: 'cover', position: 'top' },
    { format: 'png' },
    { quality: 84 },
    { effort: 0 },
    { lossless: true },
    { grayscale: true },
    { sharpen: true },
    { background: '#000000' },
    { nearlossless: true },
    { chroma: 'sharp' },
    { format: 'jpeg', effort: 1 },
    { format: 'jpeg', chroma: '444' },
    { format: 'jpeg', progressive: false },
    { format: 'avif', bitdepth: 10 },
    { format: 'gif' },
    { format: 'tiff' },
  ] as const)('differ by %j', (more) => {
    const other = fullVariant({ name: 'a', width: 5, ...more });
    const digests = [plain, other].flatMap((variant) => [
      settingsOf(variant, exact),
      settingsOf(variant, { lenient: true }),
    ]);
    expect(new Set(digests).size).toBe(4);
  });
});

describe('the renamed settings for an older index', () => {
  it('contain each digest of a batch, with lenient and without', () => {
    for (const preset of BUILT_IN) {
      const pairs = [false, true].flatMap((lenient) => {
        const options = optionsOf(preset, lenient);
        return formerSettingsOfAll(options).map((from, i) => ({ from, to: settingsOfAll(options)[i] }));
      });
      expect(renamedSettings(optionsOf(preset))).toEqual(pairs);
    }
  });

  it('contain nothing for a variant with an unchanged digest', () => {
    const all = fullVariant({
      ...{ name: 'a', width: 5, height: 5, fit: 'cover', position: 'top', format: 'webp', quality: 50 },
      ...{ lossless: true, grayscale: true, sharpen: true, background: '#000000' },
    });
    expect(renamedSettings({ preset: { name: 'all', variants: [all] } })).toEqual([]);
  });
});
