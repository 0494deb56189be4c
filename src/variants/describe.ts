import {
  type Allowed,
  FIELD_KEYS,
  FIELD_TABLE,
  type FieldKey,
  FORMATS,
  spellingsOf,
  type Variant,
} from './fields.ts';

/** A variant as `imgtool presets` prints it. */
export interface VariantCells {
  readonly size: string;
  readonly quality: string;
  readonly options: string;
}

/** Fields that have a column of their own. */
const COLUMNS: readonly FieldKey[] = ['width', 'height', 'fit', 'format', 'quality', 'lossless'];

export function cellsOf(variant: Variant): VariantCells {
  const { width, height, fit, format, quality, lossless } = variant;
  const box = width === null ? `h=${height ?? '-'}` : `w=${width}`;
  const shown = FIELD_KEYS.filter((key) => {
    const { off, in: allowed } = FIELD_TABLE[key];
    return !COLUMNS.includes(key) && variant[key] !== off && allowed(format).isFixed !== true;
  });
  // What every variant has comes first.
  const sorted = [...shown.filter((key) => !isOptional(key)), ...shown.filter(isOptional)];
  const options = sorted.map((key) => (variant[key] === true ? key : `${key} ${variant[key]}`));
  return {
    size: width !== null && height !== null ? `${width}x${height} ${fit}` : box,
    quality: lossless ? 'lossless' : `q${quality}`,
    options: options.join(', ') || '-',
  };
}

function isOptional(key: FieldKey): boolean {
  return FIELD_TABLE[key].off !== undefined;
}

/** The fields of a variant as a table in Markdown: key, values, default and help. */
export function fieldsTable(): string {
  const rows = FIELD_KEYS.map((key) => {
    const keys = spellingsOf(key).map((word) => `\`${word}\``);
    const values = perFormat(key, ({ type }) => type.expected.replace(/ \(.*\)$/, ''));
    const initial = perFormat(key, ({ initial }) => String(initial ?? 'none'));
    return `| ${keys.join(', ')} | ${values} | ${initial} | ${FIELD_TABLE[key].about} |`;
  });
  return ['| key | values | default | |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** One text where all formats share it, else each text with its formats. */
function perFormat(key: FieldKey, textOf: (allowed: Allowed<unknown>) => string): string {
  const texts = FORMATS.map((format) => textOf(FIELD_TABLE[key].in(format)));
  const distinct = [...new Set(texts)];
  if (distinct.length === 1) return distinct.join('');
  return distinct
    .map((text) => `${FORMATS.filter((_, i) => texts[i] === text).join(', ')}: ${text}`)
    .join('; ');
}
