import { type Clock, systemClock } from '../clock.ts';
import type { Intake } from './puller.ts';

/** News that several bring and one awaits; what nobody awaited yet is kept. */
export interface News {
  /** Resolves when there was news: true; or when the milliseconds are over: false. */
  news(within?: number): Promise<boolean>;
  /** Tells whoever waits. */
  wake(): void;
}

export function openNews(clock: Clock = systemClock): News {
  let told = false;
  let resolve: (() => void) | undefined;
  return {
    async news(within) {
      if (!told) {
        let cancel = () => {};
        await new Promise<void>((done) => {
          resolve = done;
          if (within !== undefined) cancel = clock.after(within, done);
        });
        cancel();
        resolve = undefined;
      }
      const woken = told;
      told = false;
      return woken;
    },
    wake() {
      told = true;
      resolve?.();
    },
  };
}

/** An intake whose additions and end are announced by whoever walks. */
export function announce(): Intake & { end(): void } {
  const { news, wake } = openNews();
  let ended = false;
  return {
    get ended() {
      return ended;
    },
    news,
    wake,
    end() {
      ended = true;
      wake();
    },
  };
}
