import type { Allowed } from '../../src/variants/allowed.ts';
import { FIELD_KEYS, FIELD_TABLE, type FieldKey, spellingsOf } from '../../src/variants/fields.ts';
import { FORMATS } from '../../src/variants/formats.ts';

/** Columns of a page of help. */
const COLUMNS_OF_PAGE = 100;

/** The fields of a variant as a list in Markdown: keys, help, values and default of each. */
export function fieldsHelp(): string {
  return FIELD_KEYS.map((key) => {
    const keys = spellingsOf(key).map((word) => `\`${word}\``);
    const values = perFormat(key, ({ type }) =>
      type.expected.replace(/ \(.*\)$|^(?:a whole number from|one of) /g, ''),
    );
    const initial = perFormat(key, ({ initial }) => String(initial ?? 'none'));
    const text = `- ${keys.join(', ')}: ${FIELD_TABLE[key].about}. Values: ${values}. Default: ${initial}.`;
    return wrapped(text, COLUMNS_OF_PAGE, '  ');
  }).join('');
}

/** Lines of at most so many columns, each with a newline; all but the first are indented. */
function wrapped(text: string, columns: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${one}\n`).join('');
}

/** One text where all formats share it, else each text with its formats. Formats without a choice are left out. */
function perFormat(key: FieldKey, textOf: (allowed: Allowed<unknown>) => string): string {
  const formats = FORMATS.filter((format) => FIELD_TABLE[key].in(format).isFixed !== true);
  const texts = formats.map((format) => textOf(FIELD_TABLE[key].in(format)));
  const distinct = [...new Set(texts)];
  if (distinct.length === 1 && formats.length === FORMATS.length) return distinct.join('');
  return distinct
    .map((text) => `${text} (${formats.filter((_, i) => texts[i] === text).join(', ')})`)
    .join('; ');
}
