/** Caches a function of options that never change. It runs once, not for each of many thousand sources. */
export function onceFor<Options extends object, Result>(
  make: (options: Options) => Result,
): (options: Options) => Result {
  const made = new WeakMap<Options, Result>();
  return (options) => {
    const known = made.get(options);
    if (known !== undefined) return known;
    const result = make(options);
    made.set(options, result);
    return result;
  };
}
