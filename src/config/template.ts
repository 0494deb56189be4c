import type { Variant } from '../variants/fields.ts';
import { EXTENSIONS } from '../variants/formats.ts';
import { checkKnown, type Place, wrong } from '../variants/place.ts';
import type { Preset } from '../variants/presets.ts';

/** The words that a template of output names can contain in braces. */
export const PLACEHOLDERS = ['dir', 'name', 'variant', 'ext', 'format', 'preset'] as const;

const EXAMPLE = 'for example {dir}/{name}_{variant}.{ext}';
const OUT = 'name the folder with --out';

/** Checks that the template uses known placeholders only and that its names stay inside the output folder. */
export function checkTemplate(template: string, place: Place): void {
  const words = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, word = '']) => word);
  checkKnown(place, 'placeholder', words, PLACEHOLDERS);
  // An empty placeholder must not turn `{dir}..` into `..`.
  const bare = template.replace(/\{\w+\}/g, '');
  const refuse = (expected: string, fix: string) => wrong(place, expected, template, { fix });
  if (/[{}]/.test(bare)) throw refuse('each { closed by a }', EXAMPLE);
  if (/^([/\\]|[a-z]:)/i.test(template)) throw refuse('a name relative to --out', OUT);
  if (bare.split(/[/\\]/).includes('..')) throw refuse('a name inside --out, without ".."', OUT);
  if (/[/\\]$|[\x00-\x1f\x7f]/.test(template))
    throw refuse('a file name without control characters', EXAMPLE);
}

/** Checks that the name of every variant ends in an extension of its format, and that no other variant has this name. */
export function checkNames(template: string, preset: Preset, place: Place): void {
  const seen = new Map<string, Variant>();
  for (const variant of preset.variants) {
    const name = filled(template, variant).toLowerCase();
    const endings = [`.${EXTENSIONS[variant.format]}`, `.${variant.format}`];
    if (!endings.some((ending) => name.endsWith(ending))) {
      const fix = `use ${withExtension(template, preset)}`;
      throw wrong(place, `a name that ends in .{ext}, here ${endings[0]}`, template, { fix });
    }
    const other = seen.get(name);
    seen.set(name, variant);
    if (other === undefined) continue;
    const expected = `names that tell ${label(other)} from ${label(variant)} in preset "${preset.name}"`;
    throw wrong(place, expected, template, { fix: `add {variant} to the template, ${EXAMPLE}` });
  }
}

/** The template with `.{ext}` at its end, instead of another extension if there is one. */
function withExtension(template: string, { variants }: Preset): string {
  const bare = template.replace(/\.?\{ext\}$|\.(webp|jpe?g|png|avif)$/i, '');
  const isClear = variants.length === 1 || template.includes('{variant}');
  return `${bare}${isClear ? '' : '_{variant}'}.{ext}`;
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
