import module from 'node:module';

/** All that a child process loads at start, as one import and therefore one file of the built program. */
export { asImgtoolError } from '../errors.ts';
export { inspect } from './inspect.ts';
export { digestAll } from './open.ts';
export { openPicture } from './picture.ts';
export { starved } from './starved.ts';
export { ENGINE } from './vips.ts';

// Node writes its compile cache at a normal exit, but a child process is killed.
(module as { readonly flushCompileCache?: () => void }).flushCompileCache?.();
