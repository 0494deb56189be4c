import { createRequire } from 'node:module';

/** picomatch, loaded where there is a pattern. */
export function picomatch(): typeof import('picomatch') {
  return createRequire(import.meta.url)('picomatch');
}
