import { stoppedEarly } from '../../errors.ts';
import type { Renderer } from '../../ports.ts';

/** One batch's view of a shared renderer. `kill` ends only the work for this batch, and frees its slots. */
export function shareRenderer(renderer: Renderer): Renderer {
  /** Ends a request, or closes an open picture. */
  const ends = new Set<() => void>();
  let killed = false;

  /** Makes a request that `kill` ends. */
  function ask<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const aborter = new AbortController();
      const stop = () => {
        aborter.abort();
        reject(stoppedEarly());
      };
      if (killed) return stop();
      ends.add(stop);
      request(aborter.signal)
        .finally(() => ends.delete(stop))
        .then(resolve, reject);
    });
  }

  return {
    ...renderer,
    open: (source, limits, variants, control) =>
      ask(async (signal) => {
        const opened = await renderer.open(source, limits, variants, { ...control, signal });
        const close = () => {
          ends.delete(close);
          opened.close();
        };
        if (killed) close();
        else ends.add(close);
        return { ...opened, close };
      }),
    inspect: (path, timeout) => ask((signal) => renderer.inspect(path, timeout, signal)),
    digest: (sources, timeout) => ask((signal) => renderer.digest(sources, timeout, signal)),
    kill() {
      killed = true;
      // If a picture is being rendered, closing it kills its child process.
      for (const end of ends) end();
      ends.clear();
    },
    async close() {},
  };
}
