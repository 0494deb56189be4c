import { ImgtoolError } from '../../errors.ts';
import type { Limits } from '../../model.ts';
import { primaryMetadata } from '../avif.ts';
import { exifOfPng } from '../exif.ts';
import type { Source } from '../open.ts';
import type { Header } from '../steps/header.ts';
import { directoryAt, openTiff } from '../tiff/directory.ts';
import { TAG } from '../tiff/tags.ts';
import { sharp } from '../vips.ts';
import { type Exif, exifAt, exifIn, NO_EXIF } from './exif.ts';
import { type Iptc, iptcIn } from './iptc.ts';
import { type Xmp, xmpIn } from './xmp.ts';

/** The metadata of a source. */
export interface SourceMetadata {
  readonly exif: Exif;
  readonly iptc: Iptc;
  readonly xmp: Xmp;
  /** Pixels per inch; null where the source states none that outputs can hold. */
  readonly density: number | null;
}

/** Blocks as they are stored. */
interface Stored {
  readonly exif: Exif;
  readonly iptc: Buffer | undefined;
  readonly xmp: Buffer | undefined;
  readonly density: number | undefined;
}

/** The highest density that a JPEG holds, in pixels per inch. */
const MAX_DENSITY = 65_535;

/** Reads the metadata, and of its XMP the `wanted` properties. Errors: `corrupt` for XMP that cannot be read. */
export async function metadataOf(
  source: Source,
  header: Pick<Header, 'format'>,
  { lenient }: Pick<Limits, 'lenient'>,
  wanted: (name: string) => boolean,
): Promise<SourceMetadata> {
  const { exif, iptc, xmp, density } = await stored(source, header);
  return {
    exif,
    iptc: iptc === undefined ? new Map() : iptcIn(iptc),
    xmp: xmp === undefined ? new Map() : readXmp(xmp, lenient, wanted),
    density: density !== undefined && density >= 1 && density <= MAX_DENSITY ? density : null,
  };
}

async function stored(source: Source, { format }: Pick<Header, 'format'>): Promise<Stored> {
  const { head, input, readAt, facts } = source;
  if (format === 'tiff') return storedInTiff(source);
  if (format === 'heic') {
    const block = primaryMetadata(head, 'exif');
    // Before the block is the position of its TIFF header behind that number.
    const at = block !== null && block.length > 4 ? 4 + block.readUInt32BE(0) : 0;
    const exif = block === null ? NO_EXIF : exifIn(block.subarray(at));
    return { exif, iptc: undefined, xmp: primaryMetadata(head, 'xmp') ?? undefined, density: undefined };
  }
  if (!READ_BY_LIBVIPS.has(format))
    return { exif: NO_EXIF, iptc: undefined, xmp: undefined, density: undefined };
  const {
    exif: found,
    iptc,
    xmp,
    density,
    resolutionUnit,
  } = await sharp(input, { failOn: 'none', limitInputPixels: false }).metadata();
  const block = found ?? (format === 'png' ? exifOfPng({ readAt, facts }) : null);
  // Without a unit, the density is libvips' own.
  const stated = resolutionUnit === undefined ? undefined : density;
  return { exif: block === null ? NO_EXIF : exifIn(block), iptc, xmp, density: stated };
}

/** Formats whose metadata libvips reads. BMP, ICO and SVG have none, and that of a GIF is not read. */
const READ_BY_LIBVIPS = new Set(['jpeg', 'png', 'webp', 'avif']);

/** A TIFF has its metadata among its tags. All pages count as one document: those of the first are read. */
function storedInTiff({ readAt, facts: { size } }: Source): Stored {
  const exif = exifAt(readAt, size);
  const tiff = openTiff(readAt, size);
  const first = tiff && directoryAt(tiff, tiff.first);
  const bytesOf = (tag: number): Buffer | undefined => (first?.has(tag) ? first.bytes(tag) : undefined);
  const resolution = first?.number(TAG.XResolution);
  const unit = first?.number(TAG.ResolutionUnit) ?? INCHES;
  const perUnit = { 2: 1, 3: 2.54 }[unit];
  const density = resolution === undefined || perUnit === undefined ? undefined : resolution * perUnit;
  return { exif, iptc: bytesOf(TAG.Iptc), xmp: bytesOf(TAG.Xmp), density };
}

const INCHES = 2;

function readXmp(packet: Buffer, lenient: boolean, wanted: (name: string) => boolean): Xmp {
  try {
    return xmpIn(packet, wanted);
  } catch (error) {
    if (lenient) return new Map();
    const why = error instanceof Error ? error.message : String(error);
    const fix = 'write its XMP again with another program, or keep nothing of it with {{keep none}}';
    throw new ImgtoolError('corrupt', `its XMP cannot be read: ${why}`, { fix, cause: error });
  }
}
