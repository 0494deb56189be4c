import { stoppedEarly } from '../../errors.ts';
import type { Renderer } from '../../ports.ts';

/** One batch's view of a shared renderer. `kill` ends only the work of this batch, and frees its slots. */
export function shareRenderer(renderer: Renderer): Renderer {
  /** Ends a call, or closes an open picture. */
  const ends = new Set<() => void>();
  let killed = false;

  /** Makes a call that `kill` ends. */
  const endable = <T>(call: (signal: AbortSignal) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      const aborter = new AbortController();
      const stop = () => {
        aborter.abort();
        reject(stoppedEarly());
      };
      if (killed) return stop();
      ends.add(stop);
      call(aborter.signal)
        .finally(() => ends.delete(stop))
        .then(resolve, reject);
    });

  return {
    ...renderer,
    open: (source, limits, variants, control) =>
      endable(async (signal) => {
        const opened = await renderer.open(source, limits, variants, { ...control, signal });
        const close = () => {
          ends.delete(close);
          opened.close();
        };
        if (killed) close();
        else ends.add(close);
        return { ...opened, close };
      }),
    inspect: (path, timeout) => endable((signal) => renderer.inspect(path, timeout, signal)),
    digest: (sources, timeout) => endable((signal) => renderer.digest(sources, timeout, signal)),
    kill() {
      killed = true;
      // If a picture is being rendered, closing it kills its child process.
      for (const end of ends) end();
      ends.clear();
    },
    async close() {},
  };
}
