import { ImgtoolError } from '../errors.ts';

/** Errors of pictures that cannot be read: of a format without a decoder, damaged, or too large for the memory. */

/** A format without a decoder: its common name, and a suggestion for the user. */
export type Undecodable = { readonly name: string; readonly fix: string };

export const CONVERT = 'convert it to JPEG or PNG first';
/** For JPEGs and TIFFs that need to be saved in another form. */
export const RESAVE = {
  eightBits: 'save it as an 8-bit JPEG or as PNG first',
  baseline: 'save it as a baseline JPEG or as PNG first',
  colours: 'save it as a grey or RGB JPEG or as PNG first',
  compression: 'save it with LZW or Deflate compression, or without compression',
} as const;

/** `name` is null for an unknown maker. */
export const cameraRawFormat = (name: string | null): Undecodable => ({
  name: name === null ? 'camera raw' : `${name} camera raw`,
  fix: 'develop it to JPEG or TIFF first, or use the JPEG the camera saved beside it',
});

export function undecodable({ name, fix }: Undecodable): ImgtoolError {
  return new ImgtoolError('unsupported_format', `the decoder cannot read ${name}`, { fix });
}

/**
 * Converts a decoder's error to `corrupt`, `unsupported_format` or `out_of_memory`. Pass `header` when the header was
 * readable and only the pixels failed.
 */
export function corrupt(error: unknown, lenient: boolean, header?: Readable): ImgtoolError {
  return complaint(error, (said) => {
    const isHelped = !lenient && isReadInPart(said, header);
    return damagedPicture(said, error, isHelped ? ', or accept what can be read with {{lenient}}' : '');
  });
}

/** `why` may be empty. `help` follows the advice to copy the file again. */
export function damagedPicture(why: string, cause?: unknown, help = ''): ImgtoolError {
  const fix = `copy the file again${help}`;
  return new ImgtoolError('corrupt', `the picture is damaged or cut short${bracketed(why)}`, { fix, cause });
}

export const bracketed = (why: string): string => (why === '' ? '' : ` (${why})`);

/** The facts that decide whether a damaged picture can be read in part. */
type Readable = { readonly format: string; readonly progressive: boolean };

/** Calls `damage` for an error without another known cause. `said` is the decoder's message, or empty. */
export function complaint(error: unknown, damage: (said: string) => ImgtoolError): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const said = fatalLine(error instanceof Error ? error.message : String(error));
  return starved(error) ?? unsupported(said) ?? damage(said);
}

/** The line after the warnings. libvips repeats all lines for each reader and cuts the last; sharp adds a line. */
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

/** Messages of decoders about sound but unsupported pictures, with the kind of picture and the fix. */
const UNSUPPORTED: readonly (readonly [message: RegExp, kind: string, fix: string])[] = [
  [/Unsupported JPEG data precision 12$/, '12-bit JPEG', RESAVE.eightBits],
  [/Unsupported JPEG process/, 'JPEG of this coding process', RESAVE.baseline],
  [/Unsupported color conversion request/, 'lossless JPEG in these colours', RESAVE.baseline],
  [/Requested feature was omitted at compile time/, 'JPEG of this coding process', RESAVE.baseline],
  [/(\w+) compression support is not configured/, 'TIFF with {} compression', RESAVE.compression],
  [
    /^heif: (?!.*data version)(.*(?:Unsupported (?:feature|codec)|not been built in).*)/,
    'this kind of AVIF or HEIF ({})',
    CONVERT,
  ],
];

function unsupported(said: string): ImgtoolError | undefined {
  for (const [message, kind, fix] of UNSUPPORTED) {
    const found = message.exec(said);
    if (found !== null) return undecodable({ name: kind.replace('{}', () => found[1] ?? ''), fix });
  }
  return undefined;
}

/**
 * True when a lenient decoder continues after this damage, as measured with 4,000 damaged pictures (libvips 8.18.7): a
 * truncated JPEG or GIF, a PNG that is not interlaced, and a TIFF whose header is read.
 */
function isReadInPart(said: string, header: Readable | undefined): boolean {
  if (/^gifload\w*: Unexpected end of GIF/.test(said)) return true;
  if (header?.format === 'jpeg') return said.includes('premature end of JPEG image');
  return header?.format === 'png' ? !header.progressive : header?.format === 'tiff';
}

/**
 * Messages of libvips, its decoders and encoders, C++ and Node when a memory allocation fails (each observed under a
 * limited address space). Threads fail when they cannot allocate a stack. aom's encoder gives no reason, but its input
 * is always sound.
 */
const MEMORY_ERRORS = new RegExp(
  [
    'out of memory|insufficient memory|memory allocation|allocation failed|bad_alloc|ENOMEM',
    '(unable|failed) to (malloc|allocate)|(cannot|could not) allocate',
    'error creating thread|encoder plugin generated an error',
  ].join('|'),
  'i',
);

/** libheif also reports a memory error when a damaged file states an impossible size. */
const IMPOSSIBLE_SIZE = /security limit|memory allocation error: invalid/i;

/** Returns `out_of_memory` after a lack of memory: the picture is not at fault, and may succeed alone. */
export function starved(error: unknown): ImgtoolError | undefined {
  if (error instanceof ImgtoolError) return undefined;
  const said =
    error instanceof Error ? `${'code' in error ? error.code : ''} ${error.message}` : String(error);
  if (!MEMORY_ERRORS.test(said) || IMPOSSIBLE_SIZE.test(said)) return undefined;
  const fix = 'give it more memory, or try again with {{jobs 1}}';
  return new ImgtoolError('out_of_memory', 'there was not enough memory for it', { fix, cause: error });
}
