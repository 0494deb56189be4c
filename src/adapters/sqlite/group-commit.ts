import type { Connection } from './connection.ts';
import { databaseError, isBusy } from './errors.ts';

interface QueuedStep {
  readonly step: () => unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Reports the end of a step, once its group has ended. */
type Ending = () => void;

type Database = Pick<Connection, 'db' | 'path' | 'kind'>;

/**
 * Write steps from the same turn of the event loop share one transaction, because most of the cost of a commit is the
 * same for one step as for many. Each step is still all or nothing, and resolves once it is recorded.
 */
export function openGroupCommit({ db, path, kind, write }: Database & Pick<Connection, 'write'>) {
  /** Inside a transaction this is a savepoint. */
  const apart = db.transaction((step: () => unknown) => step());

  const endingOf = ({ step, resolve, reject }: QueuedStep): Ending => {
    try {
      const value = apart(step);
      return () => resolve(value);
    } catch (error) {
      // A full disk ends the whole transaction. After a busy database all steps are tried again.
      if (!db.inTransaction || isBusy(error)) throw error;
      return () => reject(databaseError(error, path, kind));
    }
  };

  return inGroups((group) => write(() => group.map(endingOf)));
}

/** Read steps from the same turn of the event loop share one transaction too, so they all see a single moment. */
export function openGroupRead({ path, kind, read }: Database & Pick<Connection, 'read'>) {
  const endingOf = ({ step, resolve, reject }: QueuedStep): Ending => {
    try {
      const value = step();
      return () => resolve(value);
    } catch (error) {
      if (isBusy(error)) throw error;
      return () => reject(databaseError(error, path, kind));
    }
  };
  return inGroups((group) => read(() => group.map(endingOf)));
}

/** Collects the steps of a turn, and has them carried out in the order in which they came. */
function inGroups(carryOut: (group: readonly QueuedStep[]) => Promise<Ending[]>) {
  let asked: QueuedStep[] = [];

  const next = async () => {
    const group = asked;
    asked = [];
    try {
      for (const end of await carryOut(group)) end();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  };

  return <T>(step: () => T) =>
    new Promise<T>((resolve, reject) => {
      if (asked.length === 0) setImmediate(next);
      asked.push({ step, resolve: resolve as QueuedStep['resolve'], reject });
    });
}
