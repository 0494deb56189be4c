/**
 * Databases, statements and iterators are kept until the process ends. better-sqlite3 up to 12 aborts on Node 24.19 and later
 * when one of them is collected as garbage (nodejs/node#65446). They are few: a run's own, and one for each lock
 * that is asked, however often.
 */
const kept: object[] = [];

export function keep<T extends object>(one: T): T {
  kept.push(one);
  return one;
}
