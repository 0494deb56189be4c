import module from 'node:module';

/** What a child works with: one import, and so one file of the built program, for all that it loads at its start. */
export { asImgtoolError } from '../errors.ts';
export { digestAll } from './digest.ts';
export { inspect } from './inspect.ts';
export { openPicture } from './picture.ts';
export { starved } from './starved.ts';
export { ENGINE } from './vips.ts';

// Node keeps what it compiled at its end in order, which a child does not come to.
(module as { readonly flushCompileCache?: () => void }).flushCompileCache?.();
