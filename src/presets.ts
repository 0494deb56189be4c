import type { Format, Preset, Variant } from './model.ts';

/** A variant as it is asked for: what is left out gets its default. */
export type LooseVariant = Pick<Variant, 'name'> & {
  readonly [K in Exclude<keyof Variant, 'name'>]?: Variant[K] | undefined;
};

/** Effort of avif: 0, 2, 4 measured at 60, 240, 1750 ms for 1200 px (two cores, libvips 8.18). */
const DEFAULTS: Readonly<Record<Format, Pick<Variant, 'quality' | 'effort' | 'lossless' | 'background'>>> = {
  webp: { quality: 85, effort: 4, lossless: false, background: null },
  jpeg: { quality: 85, effort: 0, lossless: false, background: '#ffffff' },
  avif: { quality: 60, effort: 2, lossless: false, background: null },
  png: { quality: 100, effort: 7, lossless: true, background: null },
};

const thumbnail = { name: 'thumbnail', width: 150 };
const medium = { name: 'medium', width: 600 };
const large = { name: 'large', width: 1200 };

/** The presets that are always there; the first is the default. */
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

/**
 * The variant with every choice made. Choices that cannot change a byte get one fixed value (the position of what is
 * not cut, the quality of what is lossless), so that variants with equal outputs are equal as data.
 */
export function fullVariant(loose: LooseVariant): Variant {
  const format = loose.format ?? 'webp';
  const defaults = DEFAULTS[format];
  const width = loose.width ?? null;
  const height = loose.height ?? null;
  const fit = width === null || height === null ? 'inside' : (loose.fit ?? 'inside');
  const lossless = format === 'webp' || format === 'avif' ? (loose.lossless ?? false) : defaults.lossless;
  return {
    name: loose.name,
    width,
    height,
    fit,
    position: fit === 'cover' ? (loose.position ?? 'centre') : 'centre',
    format,
    quality: lossless ? 100 : (loose.quality ?? defaults.quality),
    effort: format === 'jpeg' ? 0 : (loose.effort ?? defaults.effort),
    lossless,
    grayscale: loose.grayscale ?? false,
    sharpen: loose.sharpen ?? false,
    background: loose.background ?? defaults.background,
  };
}
