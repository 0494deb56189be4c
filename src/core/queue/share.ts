import { stoppedEarly } from '../../errors.ts';
import type { Renderer } from '../../ports.ts';

/** One batch's view of a shared renderer. `kill` ends only the pictures of this batch. */
export function shareRenderer(renderer: Renderer): Renderer {
  /** Ends the wait for a picture that opens, or closes an open one. */
  const ends = new Set<() => void>();
  let killed = false;
  return {
    ...renderer,
    open: (...asked) =>
      new Promise((resolve, reject) => {
        const stop = () => reject(stoppedEarly());
        if (killed) return stop();
        ends.add(stop);
        const opening = renderer.open(...asked).finally(() => ends.delete(stop));
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
