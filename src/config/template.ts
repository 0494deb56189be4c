import { EXTENSIONS, type Variant } from '../variants/fields.ts';
import { type Place, unknown, wrong } from '../variants/place.ts';
import type { Preset } from '../variants/presets.ts';

/** The words that a template of output names can contain in braces. */
export const PLACEHOLDERS = ['dir', 'name', 'variant', 'ext', 'format', 'preset'] as const;

const EXAMPLE = 'for example {dir}/{name}_{variant}.{ext}';

/** Checks that the template uses known placeholders only and that its names stay inside the output folder. */
export function checkTemplate(template: string, place: Place): void {
  const unknownKeys = [...template.matchAll(/\{([^{}]*)\}/g)]
    .map((match) => match[1] ?? '')
    .filter((word) => !PLACEHOLDERS.some((known) => known === word));
  if (unknownKeys.length > 0) throw unknown(place, 'placeholder', unknownKeys, PLACEHOLDERS);

  // An empty placeholder must not turn `{dir}..` into `..`.
  const bare = template.replace(/\{\w+\}/g, '');
  if (/[{}]/.test(bare)) {
    throw wrong(place, 'each { closed by a }', template, { fix: EXAMPLE });
  }
  if (/^([/\\]|[a-z]:)/i.test(template)) {
    throw wrong(place, 'a name relative to --out', template, { fix: 'name the folder with --out' });
  }
  if (bare.split(/[/\\]/).includes('..')) {
    throw wrong(place, 'a name inside --out, without ".."', template, { fix: 'name the folder with --out' });
  }
  if (/[/\\]$/.test(template) || /[\x00-\x1f\x7f]/.test(template)) {
    throw wrong(place, 'a file name without control characters', template, { fix: EXAMPLE });
  }
}

/** Checks that every variant of the preset gets its own name. */
export function checkDistinct(template: string, preset: Preset, place: Place): void {
  const seen = new Map<string, Variant>();
  for (const variant of preset.variants) {
    const name = filled(template, variant).toLowerCase();
    const other = seen.get(name);
    if (other !== undefined) {
      const missing = other.name.toLowerCase() === variant.name.toLowerCase() ? '{ext}' : '{variant}';
      throw wrong(
        place,
        `names that tell ${label(other)} from ${label(variant)} in preset "${preset.name}"`,
        template,
        { fix: `add ${missing} to the template, ${EXAMPLE}` },
      );
    }
    seen.set(name, variant);
  }
}

function filled(template: string, variant: Variant): string {
  return template
    .replaceAll('{variant}', variant.name)
    .replaceAll('{ext}', EXTENSIONS[variant.format])
    .replaceAll('{format}', variant.format);
}

function label(variant: Variant): string {
  return `${variant.name} (${variant.format})`;
}
