import type { PixelSize, Variant } from '../../model.ts';
import { hasMetadata, keptWords } from '../../variants/words.ts';
import { digestsOf } from '../metadata.ts';
import type { OpenPicture } from '../sized.ts';
import { sharp } from '../vips.ts';
import { embed } from './embed.ts';
import { blocksFor, wantedXmp } from './make.ts';
import { metadataOf } from './source.ts';

/** An output with its metadata, and the record of what was written; null for an output that gets none. */
interface Written {
  readonly bytes: Buffer;
  readonly metadata: string | null;
}

/**
 * Reads what these variants keep of a source. The result writes it into an encoded output without metadata; `isOwn` is true
 * for pixels in the colours of the source's profile. Errors: `corrupt`, `too_large`.
 */
export async function openMetadata({ source, header, limits }: OpenPicture, variants: readonly Variant[]) {
  const found = await metadataOf(source, header, limits, wantedXmp(variants));
  return async (data: Buffer, size: PixelSize, variant: Variant, isOwn: boolean): Promise<Written> => {
    if (!hasMetadata(variant)) return { bytes: data, metadata: null };
    const blocks = blocksFor(found, variant, size, isOwn ? header.profile : null);
    const bytes = embed(data, variant.format, blocks, size);
    const { keep, copyright, artist, format } = variant;
    const stated = await sharp(bytes, { limitInputPixels: false }).metadata();
    const blocksByName = Object.fromEntries(digestsOf(bytes, format, stated));
    return {
      bytes,
      metadata: JSON.stringify({ keep: keptWords(keep), copyright, artist, blocks: blocksByName }),
    };
  };
}
