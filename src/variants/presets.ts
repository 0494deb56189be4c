import { fullVariant, type LooseVariant, type Variant } from './fields.ts';

/** A named list of variants. */
export interface Preset {
  readonly name: string;
  readonly variants: readonly Variant[];
}

const thumbnail = { name: 'thumbnail', width: 150 };
const medium = { name: 'medium', width: 600 };
const large = { name: 'large', width: 1200 };
const sizes = [thumbnail, medium, large];

/** The presets that always exist. The first one is the default. */
export const BUILT_IN: readonly Preset[] = [
  preset('web', sizes),
  preset('archive', [...sizes, { name: 'original', width: 4096 }]),
  preset('gallery', [
    { name: 'standard', width: 800, height: 800 },
    { name: 'thumbnail', width: 200, height: 200 },
    { name: 'grayscale', width: 800, height: 800, grayscale: true },
  ]),
  preset(
    'compat',
    sizes.flatMap((size) => (['jpeg', 'webp'] as const).map((format) => ({ ...size, format }))),
  ),
];

function preset(name: string, variants: readonly LooseVariant[]): Preset {
  return { name, variants: variants.map(fullVariant) };
}
