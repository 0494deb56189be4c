import type { Intake } from './work.ts';

/** An intake whose additions and end are announced by whoever walks; news that nobody awaited yet is kept. */
export function announce(): Intake & { end(): void } {
  let ended = false;
  let told = false;
  let resolve: (() => void) | undefined;
  const wake = () => {
    told = true;
    resolve?.();
  };
  return {
    get ended() {
      return ended;
    },
    async news(within) {
      if (!told) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((done) => {
          resolve = done;
          if (within !== undefined) timer = setTimeout(done, within);
        });
        clearTimeout(timer);
        resolve = undefined;
      }
      const woken = told;
      told = false;
      return woken;
    },
    wake,
    end() {
      ended = true;
      wake();
    },
  };
}
