// Loaded into the binary before anything else: for the parent, time passes many times as fast, so that the minutes
// between two attempts at a picture are seconds. Waits of a few seconds stay as they are.
const FACTOR = 200;
/** Milliseconds: what waits longer waits for an attempt, or for a walk by the clock. */
const LONG = 20_000;

if (!process.connected) {
  const now = performance.now.bind(performance);
  performance.now = () => now() * FACTOR;
  const { setTimeout: setReal } = globalThis;
  globalThis.setTimeout = (then, ms, ...rest) => setReal(then, ms > LONG ? ms / FACTOR : ms, ...rest);
}
