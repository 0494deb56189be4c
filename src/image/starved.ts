import { ImgtoolError } from '../errors.ts';

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
const IMPOSSIBLE_SIZE = /security limit/i;

/** Returns `out_of_memory` after a lack of memory: the picture is not at fault, and may succeed alone. */
export function starved(error: unknown): ImgtoolError | undefined {
  if (error instanceof ImgtoolError) return undefined;
  const said =
    error instanceof Error ? `${'code' in error ? error.code : ''} ${error.message}` : String(error);
  if (!MEMORY_ERRORS.test(said) || IMPOSSIBLE_SIZE.test(said)) return undefined;
  return new ImgtoolError('out_of_memory', 'there was not enough memory for it', {
    fix: 'give it more memory, or try again with {{jobs 1}}',
    cause: error,
  });
}
