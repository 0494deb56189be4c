import { fullVariant, type LooseVariant, type Variant } from './fields.ts';

/** A named list of variants. */
export interface Preset {
  readonly name: string;
  readonly variants: readonly Variant[];
}

const thumbnail = { name: 'thumbnail', width: 150 };
const medium = { name: 'medium', width: 600 };
const large = { name: 'large', width: 1200 };

/** The presets that always exist. The first one is the default. */
export const BUILT_IN: readonly Preset[] = [
  preset('web', [thumbnail, medium, large]),
  preset('archive', [thumbnail, medium, large, { name: 'original', width: 4096 }]),
  preset('gallery', [
    { name: 'standard', width: 800, height: 800 },
    { name: 'thumbnail', width: 200, height: 200 },
    { name: 'grayscale', width: 800, height: 800, grayscale: true },
  ]),
  preset(
    'compat',
    [thumbnail, medium, large].flatMap((size) => [
      { ...size, format: 'jpeg' as const },
      { ...size, format: 'webp' as const },
    ]),
  ),
];

function preset(name: string, variants: readonly LooseVariant[]): Preset {
  return { name, variants: variants.map(fullVariant) };
}
