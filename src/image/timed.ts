/** Total milliseconds of concurrent work. */
export interface Spent {
  resize: number;
  write: number;
}

export async function timed<T>(spent: Spent, what: keyof Spent, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const made = await work();
  spent[what] += performance.now() - started;
  return made;
}
