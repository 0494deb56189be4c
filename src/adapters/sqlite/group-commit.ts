import type { Connection } from './connection.ts';
import { databaseError, isBusy } from './errors.ts';

interface QueuedStep {
  readonly step: () => unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Database = Pick<Connection, 'db' | 'path' | 'kind'>;

/**
 * Write steps from the same turn of the event loop share one transaction, because most of the cost of a commit is the
 * same for one step as for many. Each step is still all or nothing, and resolves once it is recorded.
 */
export function openGroupCommit({ write, ...database }: Database & Pick<Connection, 'write'>) {
  // Inside a transaction this is a savepoint.
  const apart = database.db.transaction((step: () => unknown) => step());
  return inGroups(database, write, apart);
}

/** Read steps from the same turn of the event loop share one transaction too, so they all see a single moment. */
export const openGroupRead = ({ read, ...database }: Database & Pick<Connection, 'read'>) =>
  inGroups(database, read, (step) => step());

/** Carries out the steps of a turn in one `transaction`, in the order in which they came, each by `apart`. */
function inGroups(
  { db, path, kind }: Database,
  transaction: Connection['write'],
  apart: (step: () => unknown) => unknown,
): Connection['write'] {
  let asked: QueuedStep[] = [];

  const carryOut = async () => {
    const group = asked;
    asked = [];
    try {
      for (const report of await transaction(() => group.map(reportOf))) report();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  };

  /** Carries out a step. Returns the function that reports its end, to be called once the transaction has ended. */
  const reportOf = ({ step, resolve, reject }: QueuedStep) => {
    try {
      const value = apart(step);
      return () => resolve(value);
    } catch (error) {
      // A full disk or a broken one ends the whole transaction. After a busy database all steps are tried again.
      if (!db.inTransaction || isBusy(error)) throw error;
      return () => reject(databaseError(error, path, kind));
    }
  };

  return <T>(step: () => T) =>
    new Promise<T>((resolve, reject) => {
      if (asked.length === 0) setImmediate(carryOut);
      asked.push({ step, resolve: resolve as QueuedStep['resolve'], reject });
    });
}
