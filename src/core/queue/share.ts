import { stoppedEarly } from '../../errors.ts';
import type { Opened, Renderer } from '../../ports.ts';

/** One batch's view of a shared renderer. `kill` ends only the pictures of this batch. */
export function shareRenderer(renderer: Renderer): Renderer {
  const pictures = new Set<Opened>();
  const stops = new Set<(reason: Error) => void>();
  let killed = false;
  return {
    ...renderer,
    async open(...asked) {
      if (killed) throw stoppedEarly();
      const opening = renderer.open(...asked);
      const opened = await orStop(opening);
      pictures.add(opened);
      return {
        ...opened,
        close() {
          pictures.delete(opened);
          opened.close();
        },
      };
    },
    kill() {
      killed = true;
      for (const stop of stops) stop(stoppedEarly());
      // To close a picture while it renders ends its child process.
      for (const picture of pictures) picture.close();
      pictures.clear();
    },
    async close() {},
  };

  /** Waits for a picture to open, but not after `kill`. */
  async function orStop(opening: Promise<Opened>): Promise<Opened> {
    let stop: ((reason: Error) => void) | undefined;
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
      stops.add(reject);
    });
    try {
      return await Promise.race([opening, stopped]);
    } catch (error) {
      if (killed) opening.then((late) => late.close()).catch(() => {});
      throw error;
    } finally {
      if (stop !== undefined) stops.delete(stop);
    }
  }
}
