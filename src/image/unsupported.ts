import { type Chunk, chunksOf } from './chunks.ts';
import { RESAVE, type SourceFormat, type Undecodable } from './formats.ts';

/** JPEG processes that no decoder here reads, by the marker of the frame header (ITU-T T.81, table B.1). */
const HIERARCHICAL = new Set(['c5', 'c6', 'c7', 'cd', 'ce', 'cf']);
const OTHERS: Readonly<Record<string, string>> = {
  cb: 'lossless JPEG with arithmetic coding',
  f7: 'JPEG-LS',
};
/** Supported: baseline, extended, progressive and lossless; extended and progressive with arithmetic coding. */
const SUPPORTED = new Set(['c0', 'c1', 'c2', 'c3', 'c9', 'ca']);
const LOSSLESS = 'c3';

const XCODE_PNG: Undecodable = {
  name: 'PNG as Xcode optimises it for iOS (CgBI)',
  fix: 'take the original, or convert it back: xcrun pngcrush -revert-iphone-optimizations',
};

/**
 * Returns the kind of a sound picture when its format is supported but its kind is not; undefined when the structure
 * does not show this. The decoder reports a header that contradicts itself as damage.
 */
export function unsupportedKind(bytes: Buffer, format: SourceFormat): Undecodable | undefined {
  if (format !== 'jpeg' && format !== 'png') return undefined;
  for (const chunk of chunksOf(bytes, format, false)) {
    if (format === 'png') return chunk.type === 'CgBI' ? XCODE_PNG : undefined;
    const name = HIERARCHICAL.has(chunk.type) ? 'hierarchical JPEG' : OTHERS[chunk.type];
    if (name === undefined && !SUPPORTED.has(chunk.type)) continue;
    if (!isFrame(chunk)) return undefined;
    return name === undefined ? unsupportedFrame(chunk, bytes) : { name, fix: RESAVE.baseline };
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
  if (height !== 0 || ![...chunksOf(bytes, 'jpeg', true)].some(definesLines)) return undefined;
  return { name: 'JPEG that tells its height behind its first scan (DNL)', fix: RESAVE.baseline };
}

const definesLines = ({ type, length }: Chunk): boolean => type === 'dc' && length === 2;
