import { ImgtoolError } from '../errors.ts';

/**
 * What libvips, its decoders and encoders, C++ and Node say when memory could not be had (each seen under a limited
 * address space). Threads fail for want of a stack; aom's encoder names no reason, but it is given sound pixels.
 */
const STARVED = new RegExp(
  [
    'out of memory',
    'memory allocation',
    'insufficient memory',
    'allocation failed',
    '(unable|failed) to (malloc|allocate)',
    '(cannot|could not) allocate',
    'bad_alloc',
    'ENOMEM',
    'error creating thread',
    'encoder plugin generated an error',
  ].join('|'),
  'i',
);

/** libheif calls it a memory error too when a damaged file claims more than any picture has. */
const CLAIMED = /security limit/i;

/** The failure as `out_of_memory`, if that is what it is: no fault of the picture, which may well succeed alone. */
export function starved(error: unknown): ImgtoolError | undefined {
  if (error instanceof ImgtoolError) return undefined;
  const said =
    error instanceof Error ? `${'code' in error ? error.code : ''} ${error.message}` : String(error);
  if (!STARVED.test(said) || CLAIMED.test(said)) return undefined;
  return new ImgtoolError('out_of_memory', 'there was not enough memory for it', {
    fix: 'give it more memory, or try again with {{jobs 1}}',
    cause: error,
  });
}
