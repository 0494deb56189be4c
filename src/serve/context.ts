import type { Objects, Store } from '../ports.ts';
import type { ServeEvent } from './events.ts';

/** What all parts of the service share. */
export interface ServeContext {
  readonly store: Store;
  readonly objects: Objects;
  /** Passes an event to metrics and log. Never throws. */
  readonly emit: (event: ServeEvent) => void;
}

/** What renders uploads in the background. */
export interface Worker {
  /** Looks for waiting images at once. Call it after an upload or a retry. */
  readonly wake: () => void;
  /** Number of images in work. */
  readonly busy: () => number;
  /** Ends the work on images that were cancelled or deleted. Resolves once nothing is written for them any more. */
  readonly drop: (images: readonly string[]) => Promise<void>;
  /**
   * Takes no more images, and lets those that are being rendered finish for at most `ms` milliseconds. Images that have not
   * ended by then wait again, and this attempt at them does not count. A second call can shorten the time.
   */
  stop(ms: number): Promise<void>;
}

/** What removes objects: the worker must not write others meanwhile. */
export interface RemovalContext extends ServeContext {
  readonly worker: Pick<Worker, 'drop'>;
}

/** A service with its store, its storage and its worker. */
export interface Service extends ServeContext {
  readonly worker: Worker;
  /** Stops the worker at once, and closes the store. The engine stays open. May be called twice. */
  close(): Promise<void>;
}
