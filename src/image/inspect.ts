import { ImgtoolError } from '../errors.ts';
import type { Inspected, SourceFormat } from '../model.ts';
import { MOVING } from '../variants/formats.ts';
import { detect } from './detect.ts';
import { carriedBy, carriedIn, digestsOf } from './metadata.ts';
import { openSource, type Source } from './open.ts';
import { bracketed, complaint } from './unreadable.ts';
import { sharp } from './vips.ts';

/** The display order of metadata; other kinds follow by name. */
const ORDER = ['exif', 'xmp', 'iptc', 'icc', 'comment', 'thumbnail'];

/** Decodes every pixel of a stored picture, as strictly as a source. Errors: of open.ts and detect.ts, `corrupt`. */
export async function inspect(path: string): Promise<Inspected> {
  const source = await openSource(path);
  try {
    const format = await detect(source.head, false);
    return await inspected(source, format).catch((error: unknown) => {
      throw complaint(error, (said) => {
        return new ImgtoolError('corrupt', `is damaged or cut short${bracketed(said)}`, { cause: error });
      });
    });
  } finally {
    await source.close();
  }
}

async function inspected({ input, head, digest }: Source, format: SourceFormat): Promise<Inspected> {
  const read = (pages = 1) => sharp(input, { failOn: 'error', limitInputPixels: false, pages });
  const metadata = await read().metadata();
  const { width, height, pages } = metadata;
  // One row of the full width: the decoder skips nothing, and the result stays small.
  const isAnimation = MOVING.has(format) && pages !== undefined && pages > 1;
  await read(isAnimation ? -1 : 1)
    .resize({ width, height: 1, fit: 'fill' })
    .raw()
    .toBuffer();
  const carried = new Set([...carriedBy(head, format, true).keys(), ...carriedIn(metadata).keys()]);
  const others = [...carried].filter((name) => !ORDER.includes(name)).sort();
  const names = [...ORDER.filter((name) => carried.has(name)), ...others];
  const digests = Object.fromEntries(digestsOf(head, format, metadata));
  const checksum = digest;
  return { format, checksum, width, height, metadata: names, digests };
}
