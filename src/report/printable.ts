/**
 * What could move the cursor, break a line or turn its direction round: C0, DEL, C1, zero-width and bidirectional
 * controls, the line separators, and surrogates without their other half.
 */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/gu;
const SPELT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A name or message with everything that could act on a terminal spelt out: `a\nb`, `\x1b[31m`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SPELT[character] ?? codeOf(character));
}

/** A table for programs: TAB between columns, one header, nothing cut. Cells must be printable. Ends with a newline. */
export function tabbed(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [titles, ...rows].map((row) => `${row.join('\t')}\n`).join('');
}

function codeOf(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
