/** A rate over the last `window` milliseconds, or over the last few samples where these took longer. */
export function createPace(window: number) {
  const samples: { readonly at: number; readonly done: number }[] = [];
  return {
    /** Called before `done` grows. */
    before(now: number, done: number): void {
      const last = samples.at(-1);
      if (last !== undefined && now - last.at < 500) return;
      samples.push({ at: now, done });
      while (samples.length > 8 && now - (samples[1]?.at ?? now) > window) samples.shift();
    },
    /** What was done a second; null too early to say. */
    rate(now: number, done: number): number | null {
      const first = samples[0];
      if (first === undefined || now - first.at < 300 || done === first.done) return null;
      return ((done - first.done) / (now - first.at)) * 1000;
    },
  };
}
