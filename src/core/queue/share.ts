import { stoppedEarly } from '../../errors.ts';
import type { Renderer } from '../../ports.ts';

/** One batch's view of a shared renderer. `kill` ends only the pictures of this batch, and frees their slots. */
export function shareRenderer(renderer: Renderer): Renderer {
  /** Ends the opening of a picture, or closes an open one. */
  const ends = new Set<() => void>();
  let killed = false;
  return {
    ...renderer,
    open: (source, limits, variants, control) =>
      new Promise((resolve, reject) => {
        const aborter = new AbortController();
        const stop = () => {
          aborter.abort();
          reject(stoppedEarly());
        };
        if (killed) return stop();
        ends.add(stop);
        const opening = renderer
          .open(source, limits, variants, { ...control, signal: aborter.signal })
          .finally(() => ends.delete(stop));
        opening.then((opened) => {
          if (killed) {
            opened.close();
            return stop();
          }
          const close = () => {
            ends.delete(close);
            opened.close();
          };
          ends.add(close);
          resolve({ ...opened, close });
        }, reject);
      }),
    kill() {
      killed = true;
      // If a picture is being rendered, closing it kills its child process.
      for (const end of ends) end();
      ends.clear();
    },
    async close() {},
  };
}
