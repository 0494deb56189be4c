import { type Box, boxesIn, boxesOf, findBox, primaryItem } from '../boxes.ts';

/** Writes metadata into an AVIF as libheif encodes it (ISO/IEC 23008-12): a still picture with short tables. */

interface Items {
  readonly exif: Buffer | null;
  readonly xmp: Buffer | null;
  readonly icc: Buffer | null;
}

/** An item to add. */
interface Item {
  readonly id: number;
  /** What `infe` says after the number of the item. */
  readonly kind: Buffer;
  readonly content: Buffer;
}

export function embedAvif(bytes: Buffer, { exif, xmp, icc }: Items): Buffer {
  const file = boxesOf(bytes);
  const meta = findBox(file, 'meta');
  const inside = boxesIn(bytes, meta, 4);
  const primary = primaryItem(bytes, findBox(inside, 'pitm')) ?? 0;
  const iinf = findBox(inside, 'iinf');
  if (meta === undefined || iinf === undefined) throw new Error('an encoded AVIF has no items');
  let id = bytes.readUInt16BE(iinf.start + 4);
  const items: Item[] = [];
  const add = (kind: string, content: Buffer) =>
    items.push({ id: ++id, kind: Buffer.from(`\0\0${kind}`, 'latin1'), content });
  // The position of the TIFF header comes first.
  if (exif !== null) add('Exif\0', Buffer.concat([Buffer.alloc(4), exif]));
  if (xmp !== null) add('mime\0application/rdf+xml\0', xmp);
  const build = (grownBy: number): Buffer[] => {
    const children = inside.map((one) =>
      changed(bytes, one, items, { grownBy, icc, primary, end: bytes.length }),
    );
    const references = items.map((one) => box('cdsc', numbersOf(2, one.id, 1, primary)));
    const isNew = findBox(inside, 'iref') === undefined && references.length > 0;
    return isNew ? [...children, box('iref', Buffer.alloc(4), ...references)] : children;
  };
  const made = (grownBy: number) =>
    box('meta', bytes.subarray(meta.start, meta.start + 4), ...build(grownBy));
  const grownBy = made(0).length - (meta.end - meta.at);
  const others = file.map((one) => (one === meta ? made(grownBy) : bytes.subarray(one.at, one.end)));
  const contents = items.map(({ content }) => content);
  return Buffer.concat([...others, ...(items.length === 0 ? [] : [box('mdat', ...contents)])]);
}

interface Change {
  /** Bytes by which `meta` becomes longer: all that follows it moves. */
  readonly grownBy: number;
  readonly icc: Buffer | null;
  readonly primary: number;
  /** Length of the file before. */
  readonly end: number;
}

/** The new bytes of a box in `meta`, with the new items added. */
function changed(bytes: Buffer, one: Box, items: readonly Item[], change: Change): Buffer {
  const content = bytes.subarray(one.start, one.end);
  switch (one.type) {
    case 'iinf': {
      const infos = items.map(({ id, kind }) => box('infe', HIDDEN, numbersOf(2, id), kind));
      const count = content.readUInt16BE(4) + items.length;
      return box('iinf', content.subarray(0, 4), numbersOf(2, count), content.subarray(6), ...infos);
    }
    case 'iloc':
      return box('iloc', locations(content, items, change));
    case 'iref': {
      const references = items.map(({ id }) => box('cdsc', numbersOf(2, id, 1, change.primary)));
      return box('iref', content, ...references);
    }
    case 'iprp':
      return change.icc === null ? box('iprp', content) : withProfile(bytes, one, change.icc, change.primary);
    default:
      return box(one.type, content);
  }
}

/** Version 2 of `infe`, for an item that is not shown. */
const HIDDEN = Buffer.from([2, 0, 0, 1]);

/** Version 0 of `iloc` with positions, lengths and bases of 4 bytes, which is what libheif writes. */
const PLAIN = Buffer.from([0, 0, 0, 0, 0x44, 0x40]);

function locations(content: Buffer, items: readonly Item[], { grownBy, end }: Change): Buffer {
  if (!content.subarray(0, 6).equals(PLAIN))
    throw new Error('an encoded AVIF locates its items in another way');
  const made = Buffer.from(content);
  const count = made.readUInt16BE(6);
  let at = 8;
  for (let i = 0; i < count; i++) {
    made.writeUInt32BE(made.readUInt32BE(at + 4) + grownBy, at + 4);
    at += 10 + 8 * made.readUInt16BE(at + 8);
  }
  made.writeUInt16BE(count + items.length, 6);
  let start = end + grownBy + 8;
  const added = items.map(({ id, content: { length } }) => {
    const entry = Buffer.concat([
      numbersOf(2, id, 0),
      numbersOf(4, start),
      numbersOf(2, 1),
      numbersOf(4, 0, length),
    ]);
    start += length;
    return entry;
  });
  return Buffer.concat([made, ...added]);
}

/** Adds the profile as a property of the primary item. */
function withProfile(bytes: Buffer, iprp: Box, icc: Buffer, primary: number): Buffer {
  const parts = boxesIn(bytes, iprp).map((one) => {
    const content = bytes.subarray(one.start, one.end);
    if (one.type === 'ipco') return box('ipco', content, box('colr', Buffer.from('prof', 'latin1'), icc));
    return one.type === 'ipma'
      ? box('ipma', linked(content, primary, propertyCount(bytes, iprp) + 1))
      : box(one.type, content);
  });
  return box('iprp', ...parts);
}

const propertyCount = (bytes: Buffer, iprp: Box): number =>
  boxesIn(bytes, findBox(boxesIn(bytes, iprp), 'ipco')).length;

/** Version 0 of `ipma` with indexes of 7 bits. */
function linked(content: Buffer, primary: number, index: number): Buffer {
  if (content.readUInt32BE(0) !== 0 || index > 127) throw new Error('an encoded AVIF has other links');
  let at = 8;
  for (let left = content.readUInt32BE(4); left > 0; left--) {
    const count = content[at + 2]!;
    const end = at + 3 + count;
    if (content.readUInt16BE(at) === primary) {
      const grown = Buffer.from(content.subarray(0, end));
      grown[at + 2] = count + 1;
      return Buffer.concat([grown, Buffer.from([index]), content.subarray(end)]);
    }
    at = end;
  }
  throw new Error('an encoded AVIF has a picture without properties');
}

function box(type: string, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([numbersOf(4, content.length + 8), Buffer.from(type, 'latin1'), content]);
}

/** Big-endian numbers of this many bytes. */
function numbersOf(size: 2 | 4, ...values: readonly number[]): Buffer {
  const made = Buffer.alloc(values.length * size);
  for (const [i, value] of values.entries()) made.writeUIntBE(value, i * size, size);
  return made;
}
