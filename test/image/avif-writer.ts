/** Adds properties that libheif's encoder does not write to its AVIF files (ISO/IEC 14496-12 and 23008-12). */
import { number } from './png-writer.ts';

/** A copy with one more property of the primary item, number 1. */
export function withProperty(avif: Buffer, type: string, content: Buffer): Buffer {
  const ipco = avif.indexOf('ipco') - 4;
  const added = insert(avif, ipco + avif.readUInt32BE(ipco), box(type, content), ['meta', 'iprp', 'ipco']);
  let properties = 0;
  for (let at = ipco + 8; at < ipco + added.readUInt32BE(ipco); at += added.readUInt32BE(at)) properties++;
  // After version, flags and item count, the first item follows: its number and its number of properties.
  const count = added.indexOf('ipma') + 14;
  const end = count + 1 + added[count]!;
  added[count] = added[count]! + 1;
  return insert(added, end, Buffer.from([properties]), ['meta', 'iprp', 'ipma']);
}

/** Colour primaries and transfer characteristics; the other fields are those of full-range sRGB. */
export const withNclx = (avif: Buffer, primaries: number, transfer: number): Buffer =>
  withProperty(
    avif,
    'colr',
    Buffer.concat([
      Buffer.from('nclx'),
      number(primaries, 2),
      number(transfer, 2),
      number(6, 2),
      Buffer.from([0x80]),
    ]),
  );

/** A copy that declares the colours of item 1 premultiplied by item 2, its alpha. */
export function withPremultiplied(avif: Buffer): Buffer {
  const iref = avif.indexOf('iref') - 4;
  const prem = box('prem', Buffer.concat([number(1, 2), number(1, 2), number(2, 2)]));
  return insert(avif, iref + avif.readUInt32BE(iref), prem, ['meta', 'iref']);
}

export const box = (type: string, content: Buffer): Buffer =>
  Buffer.concat([number(content.length + 8, 4), Buffer.from(type, 'latin1'), content]);

/** Inserts bytes in these boxes, and adjusts the offsets in the location table. */
function insert(avif: Buffer, at: number, bytes: Buffer, boxes: readonly string[]): Buffer {
  const longer = Buffer.concat([avif.subarray(0, at), bytes, avif.subarray(at)]);
  for (const name of boxes) {
    const start = longer.indexOf(name) - 4;
    longer.writeUInt32BE(longer.readUInt32BE(start) + bytes.length, start);
  }
  // Each item takes 18 bytes there: its number, a 2-byte reference, then a 4-byte base offset.
  const iloc = longer.indexOf('iloc') + 4;
  for (let i = 0; i < longer.readUInt16BE(iloc + 6); i++) {
    const base = iloc + 8 + i * 18 + 4;
    longer.writeUInt32BE(longer.readUInt32BE(base) + bytes.length, base);
  }
  return longer;
}
