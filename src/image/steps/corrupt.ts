import { ImgtoolError } from '../../errors.ts';
import { CONVERT, RESAVE, undecodable } from '../formats.ts';
import { starved } from '../starved.ts';

/**
 * A decoder's complaint about a source in plain words: that it cannot read this kind of picture, or that the picture is
 * damaged; then its own last line is kept in brackets. `header` where only the pixels could not be read.
 */
export function corrupt(error: unknown, lenient: boolean, header?: Readable): ImgtoolError {
  return complaint(error, (why, said) => {
    const fix =
      lenient || !isReadInPart(said, header)
        ? AGAIN
        : `${AGAIN}, or accept what can be read with {{lenient}}`;
    return new ImgtoolError('corrupt', `the picture is damaged or cut short${why}`, { fix, cause: error });
  });
}

/** What tells whether a damaged picture can be read in part. */
interface Readable {
  readonly format: string;
  readonly progressive: boolean;
}

const AGAIN = 'copy the file again';

/**
 * Judged to be damage by what was said, unless it is known to be something else. `why` is what was said in brackets, or
 * empty where nothing was.
 */
export function complaint(error: unknown, damage: (why: string, said: string) => ImgtoolError): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const said = fatalLine(error instanceof Error ? error.message : String(error));
  return starved(error) ?? unsupported(said) ?? damage(said === '' ? '' : ` (${said})`, said);
}

/**
 * Why the decoder gave up: sharp joins by newlines what was logged until then, under a line of its own. Decoders warn
 * before they give up, libvips says the same once per reader and cuts the last time short, and some say nothing that
 * would help a person.
 */
function fatalLine(message: string): string {
  const lines = message
    .replace(/^Input (?:buffer|file) has corrupt header:/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const period = lines.findIndex((_, from) => from > 0 && lines.every((line, i) => line === lines[i % from]));
  const said = lines[(period > 0 ? period : lines.length) - 1] ?? '';
  return /^(?:Unknown error|Input (?:buffer|file) contains unsupported image format)$/.test(said) ? '' : said;
}

/**
 * What decoders say of a sound picture that they do not read, how a person calls it, and what to do. Most is known from the
 * picture's structure before it comes to that.
 */
const UNSUPPORTED: readonly (readonly [RegExp, (part: string) => string, string])[] = [
  [/Unsupported JPEG data precision 12$/, () => '12-bit JPEG', RESAVE.eightBits],
  [/Unsupported JPEG process/, () => 'JPEG of this coding process', RESAVE.baseline],
  [/Unsupported color conversion request/, () => 'lossless JPEG in these colours', RESAVE.baseline],
  [/Requested feature was omitted at compile time/, () => 'JPEG of this coding process', RESAVE.baseline],
  [
    /(\w+) compression support is not configured/,
    (method) => `TIFF with ${method} compression`,
    RESAVE.compression,
  ],
  [
    /^heif: (?!.*data version).*(?:Unsupported feature|not been built in|Unsupported codec)/,
    (said) => `this kind of AVIF or HEIF (${said.replace(/^heif: /, '')})`,
    CONVERT,
  ],
];

function unsupported(said: string): ImgtoolError | undefined {
  for (const [pattern, nameOf, fix] of UNSUPPORTED) {
    const found = pattern.exec(said);
    if (found !== null) return undecodable({ name: nameOf(found[1] ?? said), fix });
  }
  return undefined;
}

/**
 * Whether a decoder goes on behind this damage when it is lenient. Measured (libvips 8.18.7) with 4,000 pictures that
 * were cut short or had bytes changed: JPEGs only when they are cut short, PNGs unless they are interlaced, GIFs when
 * they are cut short, TIFFs once their header is read; WebP and AVIF never.
 */
function isReadInPart(said: string, header: Readable | undefined): boolean {
  if (/^gifload\w*: Unexpected end of GIF/.test(said)) return true;
  switch (header?.format) {
    case 'jpeg':
      return said.includes('premature end of JPEG image');
    case 'png':
      return !header.progressive;
    default:
      return header?.format === 'tiff';
  }
}
