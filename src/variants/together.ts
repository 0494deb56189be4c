import { type LooseVariant, showField } from './fields.ts';
import { at, type Place, wrong } from './place.ts';
import { isByContent } from './words.ts';

/** Fields of a variant that need each other. */

interface Rule {
  readonly field: 'fit' | 'position' | 'scale';
  /** Completes "expected …". */
  readonly expected: (variant: LooseVariant) => string;
  readonly fix: string;
  readonly isBroken: (variant: LooseVariant) => boolean;
}

const RULES: readonly Rule[] = [
  {
    field: 'fit',
    expected: ({ fit }) => `width and height for ${fit}`,
    fix: 'give both, or fit=inside',
    isBroken: ({ fit = 'inside', width, height }) => fit !== 'inside' && !(isGiven(width) && isGiven(height)),
  },
  {
    field: 'scale',
    expected: () => 'either scale or a width and height',
    fix: 'leave one of them out',
    isBroken: ({ scale, width, height }) => isGiven(scale) && (isGiven(width) || isGiven(height)),
  },
  {
    field: 'scale',
    expected: () => 'at most 100% without enlarge',
    fix: 'add enlarge=yes',
    isBroken: ({ scale, enlarge = false }) => isGiven(scale) && Number.parseFloat(scale) > 100 && !enlarge,
  },
  {
    field: 'position',
    expected: () => 'fit=cover, fit=contain or a ratio beside it, because only they cut or place',
    fix: 'add fit=cover with a width and a height, or leave position out',
    isBroken: ({ position = 'centre', fit, ratio }) =>
      position !== 'centre' && fit !== 'cover' && fit !== 'contain' && !isGiven(ratio),
  },
  {
    field: 'position',
    expected: () => 'a place or a focal point for contain, which cuts nothing',
    fix: 'for example position=top, or fit=cover',
    isBroken: ({ position = 'centre', fit, ratio }) =>
      isByContent(position) && fit === 'contain' && !isGiven(ratio),
  },
];

/** Checks the fields that need each other. Errors: those of the place. */
export function checkTogether(variant: LooseVariant, place: Place): void {
  for (const { field, expected, fix, isBroken } of RULES) {
    if (!isBroken(variant)) continue;
    throw wrong(at(place, `: ${field}`), expected(variant), showField(variant, field), { fix });
  }
}

const isGiven = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;
