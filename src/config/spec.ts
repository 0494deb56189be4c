import type { Variant } from '../model.ts';
import { fullVariant } from '../presets.ts';
import { type Place, wrong } from './place.ts';

const EXAMPLE = 'for example hero:w=1600,format=avif,q=55';

/** A variant as written, before any value of it is looked at. */
export interface Written {
  readonly name: unknown;
  readonly fields: readonly (readonly [key: string, value: unknown])[];
}

/** Takes `hero:w=1600,format=avif,lossless` apart. */
export function parseSpec(spec: string, place: Place): Written {
  const colon = spec.indexOf(':');
  if (colon < 1) throw wrong(place, 'NAME:KEY=VALUE,…', spec, { fix: EXAMPLE });
  return { name: spec.slice(0, colon).trim(), fields: parseFields(spec.slice(colon + 1), place) };
}

/** Takes `w=1600,format=avif,lossless` apart. */
export function parseFields(text: string, place: Place): Written['fields'] {
  return text.split(',').map((part) => {
    const [key = '', ...rest] = part.split('=');
    if (key.trim() === '') throw wrong(place, 'KEY=VALUE between the commas', part, { fix: EXAMPLE });
    // A bare word is a choice that is on.
    return [key.trim(), rest.length === 0 ? true : rest.join('=').trim()] as const;
  });
}

/** The shortest spec that gives this variant. */
export function specOf(variant: Variant): string {
  const { name, width, height, format } = variant;
  const plain: Variant = fullVariant({ name, width, height, format });
  const parts = [`w=${width}`, `h=${height}`, `format=${format}`].filter((part) => !part.endsWith('=null'));
  for (const key of ['fit', 'position', 'quality', 'effort', 'background'] as const) {
    if (variant[key] !== plain[key] && !(key === 'quality' && variant.lossless)) {
      parts.push(`${key === 'quality' ? 'q' : key}=${variant[key]}`);
    }
  }
  for (const key of ['lossless', 'grayscale', 'sharpen'] as const) {
    if (variant[key] && !plain[key]) parts.push(key);
  }
  return `${name}:${parts.join(',')}`;
}
