import { orUndefined } from '../../errors.ts';

/** Texts of an IPTC-IIM block (IIM 4.2), by the number of their dataset in record 2. A dataset can repeat. */
export type Iptc = ReadonlyMap<number, readonly string[]>;

/** The most datasets to read: a hundred times as many as a picture has. */
const MAX_DATASETS = 10_000;

const MARKER = 0x1c;

/** Reads a block, or the Photoshop resources around one. Stops at damage. */
export function iptcIn(block: Buffer): Iptc {
  const bytes = block[0] === MARKER ? block : resource(block);
  const found = new Map<number, Buffer[]>();
  let isUtf8 = false;
  let at = 0;
  for (let count = 0; count < MAX_DATASETS && bytes[at] === MARKER && at + 5 <= bytes.length; count++) {
    const [record = 0, dataset = 0] = bytes.subarray(at + 1);
    const length = bytes.readUInt16BE(at + 3);
    // The highest bit marks an extended length, which no text has.
    if (length > 0x7fff || at + 5 + length > bytes.length) break;
    const value = bytes.subarray(at + 5, at + 5 + length);
    at += 5 + length;
    if (record === 1 && dataset === CHARSET) isUtf8 = value.toString('latin1') === '\x1b%G';
    if (record === 2) found.set(dataset, [...(found.get(dataset) ?? []), value]);
  }
  const texts = [...found].map(
    ([dataset, all]) => [dataset, all.map((one) => decoded(one, isUtf8))] as const,
  );
  return new Map(texts);
}

const CHARSET = 90;

const strict = new TextDecoder('utf-8', { fatal: true });

/** Many programs write UTF-8 without saying so. Other bytes are read as Windows-1252, the usual code before UTF-8. */
function decoded(value: Buffer, isUtf8: boolean): string {
  if (isUtf8) return value.toString('utf8');
  return orUndefined(() => strict.decode(value)) ?? new TextDecoder('windows-1252').decode(value);
}

const IPTC = 0x0404;

/** The IPTC block among Photoshop's image resources: signature, number, name, length, content, all padded to even. */
function resource(bytes: Buffer): Buffer {
  let at = bytes.toString('latin1', 0, 14) === 'Photoshop 3.0\0' ? 14 : 0;
  while (at + 12 <= bytes.length && bytes.toString('latin1', at, at + 4) === '8BIM') {
    const number = bytes.readUInt16BE(at + 4);
    const nameLength = 1 + bytes[at + 6]!;
    const lengthAt = at + 6 + nameLength + (nameLength % 2);
    if (lengthAt + 4 > bytes.length) break;
    const length = bytes.readUInt32BE(lengthAt);
    if (number === IPTC) return bytes.subarray(lengthAt + 4, lengthAt + 4 + length);
    at = lengthAt + 4 + length + (length % 2);
  }
  return Buffer.alloc(0);
}
