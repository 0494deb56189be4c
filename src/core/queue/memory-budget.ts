import { ImgtoolError } from '../../errors.ts';

/** Where pictures wait until there is memory for them: large ones alone, small ones many at a time. */
export interface MemoryBudget {
  /** Whether a picture of so many bytes is more than the budget: it enters all the same, alone. */
  exceeds(bytes: number): boolean;
  /**
   * Resolves when there is room for so many bytes, first come, first served: nobody who waits is ever overtaken, so
   * nobody waits for ever. What it resolves to gives the room back and may be called again.
   * Errors: `cancelled` once the signal is aborted; no room is taken then.
   */
  reserve(bytes: number, signal?: AbortSignal): Promise<() => void>;
  /** The same at once, where there is room and nobody waits; undefined otherwise. */
  reserveNow(bytes: number): (() => void) | undefined;
}

/** Admits pictures that take at most so many bytes together, or one that takes more by itself. */
export function openMemoryBudget(most: number): MemoryBudget {
  const queue = new Set<{ readonly share: number; reserve(): void }>();
  let taken = 0;

  const exceeds = (bytes: number) => !(bytes <= most);
  // One that takes everything is alone: it waits until all have left, and leaves no room for another.
  const shareOf = (bytes: number) => (exceeds(bytes) ? most : Math.min(most, Math.max(1, Math.ceil(bytes))));

  function admit(): void {
    for (const next of queue) {
      if (taken + next.share > most) return;
      queue.delete(next);
      taken += next.share;
      next.reserve();
    }
  }

  /** Gives a share back, once. */
  function leaver(share: number): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      taken -= share;
      admit();
    };
  }

  return {
    exceeds,
    reserveNow(bytes) {
      const share = shareOf(bytes);
      if (queue.size > 0 || exceeds(bytes) || taken + share > most) return undefined;
      taken += share;
      return leaver(share);
    },
    async reserve(bytes, signal) {
      if (signal?.aborted) throw cancelled();
      const share = shareOf(bytes);
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          queue.delete(waiting);
          reject(cancelled());
          // Those behind it may fit where it did not.
          admit();
        };
        const waiting = {
          share,
          reserve() {
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        signal?.addEventListener('abort', abort, { once: true });
        queue.add(waiting);
        admit();
      });
      return leaver(share);
    },
  };
}

const cancelled = (): ImgtoolError => new ImgtoolError('cancelled', 'stopped before it was done');
