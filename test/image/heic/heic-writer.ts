/** Writes HEIC files with the structure of those of phones, around pictures that x265 has encoded (ISO/IEC 23008-12). */
import { readFileSync } from 'node:fs';
import { box } from '../avif-writer.ts';
import { number } from '../png-writer.ts';

const FIXTURES = new URL('../../fixtures/heic/', import.meta.url);

export const fixture = (name: string): Buffer => readFileSync(new URL(name, FIXTURES));

/** The size in pixels of each fixture. */
export const TILE = { width: 64, height: 64 };

export interface Item {
  readonly type: string;
  readonly data: Buffer;
  /** Its properties, as boxes. */
  readonly properties: readonly Buffer[];
  /** True for an item that is no picture of its own, such as a tile. */
  readonly hidden?: boolean;
}

/** `from` refers to `to`, by numbers of items. */
export type Reference = { readonly type: string; readonly from: number; readonly to: readonly number[] };

/** The size that an item states. */
export const ispe = (width: number, height: number): Buffer =>
  box('ispe', Buffer.concat([number(0, 4), number(width, 4), number(height, 4)]));

/** A rotation against the clock by this many quarters. */
export const irot = (quarters: number): Buffer => box('irot', Buffer.from([quarters]));

/** Colour primaries and transfer characteristics, with the usual matrix and full range. */
export function nclx(primaries: number, transfer: number): Buffer {
  const points = [number(primaries, 2), number(transfer, 2), number(6, 2), Buffer.from([0x80])];
  return box('colr', Buffer.concat([Buffer.from('nclx'), ...points]));
}

/** The one encoded picture of a fixture, as an item with more properties. */
export function coded(name: string, ...more: readonly Buffer[]): Item {
  const bytes = fixture(name);
  const boxAt = (type: string): Buffer => {
    const start = bytes.indexOf(type) - 4;
    return bytes.subarray(start, start + bytes.readUInt32BE(start));
  };
  const properties = [boxAt('hvcC'), ispe(TILE.width, TILE.height), ...more];
  return { type: 'hvc1', data: boxAt('mdat').subarray(8), properties };
}

/** A picture of this size out of tiles, which are the items after it. */
export function grid(
  columns: number,
  rows: number,
  width: number,
  height: number,
  ...more: readonly Buffer[]
): Item {
  const data = Buffer.concat([
    Buffer.from([0, 0, rows - 1, columns - 1]),
    number(width, 2),
    number(height, 2),
  ]);
  return { type: 'grid', data, properties: [ispe(width, height), ...more] };
}

/** A file with these items, numbered from 1. */
export function heicOf(items: readonly Item[], primary = 1, references: readonly Reference[] = []): Buffer {
  const full = (type: string, ...parts: readonly Buffer[]) =>
    box(type, Buffer.concat([number(0, 4), ...parts]));
  const all = items.flatMap(({ properties }) => properties);
  const entries = items.map(({ type, hidden = false }, i) => {
    const content = [number(i + 1, 2), number(0, 2), Buffer.from(`${type}\0`, 'latin1')];
    return box('infe', Buffer.concat([Buffer.from([2, 0, 0, hidden ? 1 : 0]), ...content]));
  });
  let index = 0;
  const links = items.map(({ properties }, i) => {
    const indexes = properties.map(() => ++index);
    return Buffer.concat([number(i + 1, 2), Buffer.from([indexes.length, ...indexes])]);
  });
  const refs = references.map(({ type, from, to }) => {
    return box(
      type,
      Buffer.concat([number(from, 2), number(to.length, 2), ...to.map((id) => number(id, 2))]),
    );
  });
  const metaAt = (offset: number): Buffer => {
    let at = offset;
    const extents = items.map(({ data }, i) => {
      const extent = Buffer.concat([
        number(i + 1, 2),
        number(0, 2),
        number(1, 2),
        number(at, 4),
        number(data.length, 4),
      ]);
      at += data.length;
      return extent;
    });
    return full(
      'meta',
      full('hdlr', number(0, 4), Buffer.from('pict'), Buffer.alloc(13)),
      full('pitm', number(primary, 2)),
      full('iloc', Buffer.from([0x44, 0]), number(items.length, 2), ...extents),
      full('iinf', number(items.length, 2), ...entries),
      box(
        'iprp',
        Buffer.concat([box('ipco', Buffer.concat(all)), full('ipma', number(items.length, 4), ...links)]),
      ),
      ...(refs.length > 0 ? [full('iref', ...refs)] : []),
    );
  };
  const start = box('ftyp', Buffer.from('heic\0\0\0\0mif1heic'));
  const offset = start.length + metaAt(0).length + 8;
  return Buffer.concat([start, metaAt(offset), box('mdat', Buffer.concat(items.map(({ data }) => data)))]);
}
