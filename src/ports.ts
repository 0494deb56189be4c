import type { Catalog } from './ports/catalog.ts';
import type { Jobs } from './ports/jobs.ts';
import type { History, Runs } from './ports/runs.ts';

/**
 * The contracts between the core and the adapters: index, storage, sources and renderer, and for the service store and
 * objects. Types only.
 */

export type * from './ports/catalog.ts';
export type * from './ports/jobs.ts';
export type * from './ports/objects.ts';
export type * from './ports/renderer.ts';
export type * from './ports/runs.ts';
export type * from './ports/sources.ts';
export type * from './ports/storage.ts';
export type * from './ports/store.ts';

/**
 * The local record, one object with four concerns. Each method is one atomic step, safe against other processes on the
 * same index: a step that throws has changed nothing, and the caller may try it again. Methods that return an
 * AsyncIterable read page by page: each page is a step of its own. Errors of every method: `index_unusable`,
 * `index_newer`, `no_space`.
 */
export interface Index extends Catalog, Jobs, Runs, History {
  /** Closes the index. Runs that have not ended count as dead from now on. A second call does nothing. */
  close(): Promise<void>;
}
