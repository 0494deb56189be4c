import { stoppedEarly } from '../../errors.ts';

export type MemoryBudget = ReturnType<typeof openMemoryBudget>;

/** A budget of `most` bytes for all pictures together: for many small ones at a time, or for a large one alone. */
export function openMemoryBudget(most: number) {
  const queue = new Set<{ readonly share: number; reserve(): void }>();
  let taken = 0;

  /** Whether a picture of this many bytes is above the budget. Such a picture gets memory too, but alone. */
  const exceeds = (bytes: number) => !(bytes <= most);
  // A picture above the budget takes all of it: it waits for all others, and all others wait for it.
  const shareOf = (bytes: number) => (exceeds(bytes) ? most : Math.min(most, Math.max(1, Math.ceil(bytes))));

  function admit(): void {
    for (const next of queue) {
      if (taken + next.share > most) return;
      queue.delete(next);
      taken += next.share;
      next.reserve();
    }
  }

  /** A function that releases the share once. */
  function releaserOf(share: number): () => void {
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
    /** Reserves at once; undefined when memory is short or another caller waits. */
    reserveNow(bytes: number): (() => void) | undefined {
      const share = shareOf(bytes);
      if (queue.size > 0 || exceeds(bytes) || taken + share > most) return undefined;
      taken += share;
      return releaserOf(share);
    },
    /**
     * Resolves when this many bytes are reserved: first come, first served, so no caller waits without end. The returned
     * function releases the bytes and may be called twice. Errors: `cancelled` once the signal is aborted; then nothing
     * is reserved.
     */
    async reserve(bytes: number, signal?: AbortSignal): Promise<() => void> {
      if (signal?.aborted) throw stoppedEarly();
      const share = shareOf(bytes);
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          queue.delete(waiting);
          reject(stoppedEarly());
          // The callers behind it may need less memory.
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
      return releaserOf(share);
    },
  };
}
