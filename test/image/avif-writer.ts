/** Adds to an AVIF of libheif's what its encoder does not write: ISO/IEC 14496-12 and 23008-12 say how. */
import { number } from './png-writer.ts';

/** A copy whose primary item, number 1, has this property besides. */
export function withProperty(avif: Buffer, type: string, content: Buffer): Buffer {
  const ipco = avif.indexOf('ipco') - 4;
  const added = insert(avif, ipco + avif.readUInt32BE(ipco), box(type, content), ['meta', 'iprp', 'ipco']);
  let properties = 0;
  for (let at = ipco + 8; at < ipco + added.readUInt32BE(ipco); at += added.readUInt32BE(at)) properties++;
  // Behind version, flags and the count of items comes the first of them: its number and how many properties it has.
  const count = added.indexOf('ipma') + 14;
  const end = count + 1 + added[count]!;
  added[count] = added[count]! + 1;
  return insert(added, end, Buffer.from([properties]), ['meta', 'iprp', 'ipma']);
}

/** Colour primaries and transfer characteristics; the other fields are those of sRGB, of full range. */
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

/** A copy that says: the colours of item 1 are multiplied by item 2, its transparency. */
export function withPremultiplied(avif: Buffer): Buffer {
  const iref = avif.indexOf('iref') - 4;
  const prem = box('prem', Buffer.concat([number(1, 2), number(1, 2), number(2, 2)]));
  return insert(avif, iref + avif.readUInt32BE(iref), prem, ['meta', 'iref']);
}

export const box = (type: string, content: Buffer): Buffer =>
  Buffer.concat([number(content.length + 8, 4), Buffer.from(type, 'latin1'), content]);

/** Inserts bytes in these boxes, and moves what the table of places points at. */
function insert(avif: Buffer, at: number, bytes: Buffer, boxes: readonly string[]): Buffer {
  const longer = Buffer.concat([avif.subarray(0, at), bytes, avif.subarray(at)]);
  for (const name of boxes) {
    const start = longer.indexOf(name) - 4;
    longer.writeUInt32BE(longer.readUInt32BE(start) + bytes.length, start);
  }
  // Each item takes 18 bytes there: its number, a reference of 2 bytes, then 4 bytes that all its offsets start from.
  const iloc = longer.indexOf('iloc') + 4;
  for (let i = 0; i < longer.readUInt16BE(iloc + 6); i++) {
    const base = iloc + 8 + i * 18 + 4;
    longer.writeUInt32BE(longer.readUInt32BE(base) + bytes.length, base);
  }
  return longer;
}
