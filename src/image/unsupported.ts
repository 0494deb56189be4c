import { type Chunk, chunksOf } from './chunks.ts';
import { RESAVE, type SourceFormat, type Undecodable } from './formats.ts';

/** JPEG processes that no decoder here reads, by the marker of the frame header (ITU-T T.81, table B.1). */
const PROCESSES: Readonly<Record<string, string>> = {
  c5: 'hierarchical JPEG',
  c6: 'hierarchical JPEG',
  c7: 'hierarchical JPEG',
  cb: 'lossless JPEG with arithmetic coding',
  cd: 'hierarchical JPEG',
  ce: 'hierarchical JPEG',
  cf: 'hierarchical JPEG',
  f7: 'JPEG-LS',
};
/** Supported: baseline, extended, progressive and lossless; extended and progressive with arithmetic coding. */
const SUPPORTED = new Set(['c0', 'c1', 'c2', 'c3', 'c9', 'ca']);
const LOSSLESS = 'c3';

/**
 * Returns the kind of a sound picture when its format is supported but its kind is not; undefined when the structure
 * does not show this. The decoder reports a header that contradicts itself as damage.
 */
export function unsupportedKind(bytes: Buffer, format: SourceFormat): Undecodable | undefined {
  if (format === 'png') {
    const [first] = chunksOf(bytes, 'png', false);
    return first?.type === 'CgBI' ? XCODE_PNG : undefined;
  }
  if (format !== 'jpeg') return undefined;
  return unsupportedJpeg(bytes);
}

function unsupportedJpeg(bytes: Buffer): Undecodable | undefined {
  for (const segment of chunksOf(bytes, 'jpeg', false)) {
    const name = PROCESSES[segment.type];
    if (name !== undefined) return isFrame(segment) ? { name, fix: RESAVE.baseline } : undefined;
    if (SUPPORTED.has(segment.type)) return isFrame(segment) ? unsupportedFrame(segment, bytes) : undefined;
  }
  return undefined;
}

/** A frame header has 6 bytes, plus 3 for each component. */
const isFrame = ({ start, length }: Chunk): boolean => length === 6 + 3 * start.charCodeAt(5);

function unsupportedFrame({ type, start }: Chunk, bytes: Buffer): Undecodable | undefined {
  const [precision, components] = [start.charCodeAt(0), start.charCodeAt(5)];
  const known = type === LOSSLESS ? precision >= 2 && precision <= 16 : precision === 12;
  if (precision !== 8 && known) return { name: `${precision}-bit JPEG`, fix: RESAVE.eightBits };
  if (components === 2 || components > 4)
    return { name: `JPEG with ${components} colour components`, fix: RESAVE.colours };
  const height = start.charCodeAt(1) * 256 + start.charCodeAt(2);
  if (height !== 0 || !definesLines(bytes)) return undefined;
  return { name: 'JPEG that tells its height behind its first scan (DNL)', fix: RESAVE.baseline };
}

function definesLines(bytes: Buffer): boolean {
  for (const { type, length } of chunksOf(bytes, 'jpeg', true))
    if (type === 'dc' && length === 2) return true;
  return false;
}

const XCODE_PNG: Undecodable = {
  name: 'PNG as Xcode optimises it for iOS (CgBI)',
  fix: 'take the original, or convert it back: xcrun pngcrush -revert-iphone-optimizations',
};
