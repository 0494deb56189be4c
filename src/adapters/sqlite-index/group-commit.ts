import type { Database } from 'better-sqlite3';
import type { Connection } from './connection.ts';
import { indexError, isBusy } from './errors.ts';

interface QueuedStep {
  readonly step: () => unknown;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The result of one step in a group. */
type End = { readonly value: unknown } | { readonly error: Error };

/**
 * Write steps from the same turn of the event loop share one transaction, because most of the cost of a commit is the
 * same for one step as for many. Each step is still all or nothing, and resolves once it is recorded.
 */
export function openGroupCommit({
  db,
  path,
  write,
}: Pick<Connection, 'db' | 'path' | 'write'>): Connection['write'] {
  // Inside a transaction this is a savepoint.
  const apart = db.transaction((step: () => unknown) => step());
  let asked: QueuedStep[] = [];

  const carryOut = async () => {
    const group = asked;
    asked = [];
    try {
      const ends = await write(() => group.map(({ step }) => endOf(db, path, () => apart(step))));
      for (const [i, end] of ends.entries()) {
        if ('error' in end) group[i]?.reject(end.error);
        else group[i]?.resolve(end.value);
      }
    } catch (error) {
      for (const { reject } of group) reject(error as Error);
    }
  };

  return <T>(step: () => T) =>
    new Promise<T>((resolve, reject) => {
      if (asked.length === 0) setImmediate(carryOut);
      asked.push({ step, resolve: resolve as QueuedStep['resolve'], reject });
    });
}

function endOf(db: Database, path: string, step: () => unknown): End {
  try {
    return { value: step() };
  } catch (error) {
    // A full disk ends the whole transaction. After a busy index all steps are tried again.
    if (!db.inTransaction || isBusy(error)) throw error;
    return { error: indexError(error, path) };
  }
}
