import { ImgtoolError } from '../../errors.ts';
import type { Event, Job, Order, Rendered } from '../../model.ts';
import type { Opened } from '../../ports.ts';
import type { MemoryBudget } from '../queue/memory-budget.ts';
import type { JobContext } from './context.ts';

/** Bytes. A file up to this size is read without a reservation: one for each slot does no harm. */
const SMALL = 16 * 2 ** 20;
/** Bytes of a file that are held in memory at most. A larger file is decoded from the disk. */
const HELD = 256 * 2 ** 20;

/** Budgets for which the warning about too large a picture was reported. One warning is enough. */
const warned = new WeakSet<MemoryBudget>();

/**
 * Opens a source of `size` bytes, and renders it once the memory budget allows. A large file also waits before it is
 * read. It is closed and read again when decoding has to wait, because a job that waits must hold no memory.
 */
export async function openWithinBudget(context: JobContext, job: Job, size: number): Promise<Opened> {
  const { renderer, sources, budget, options, signal, emit } = context;
  const open = () => {
    const source = { path: job.source, bounds: sources.boundsOf(job.source) };
    return renderer.open(source, options.limits, options.preset.variants);
  };
  const share = size <= SMALL ? 0 : Math.min(size, HELD);
  // After an abort, jobs in work still go on if the budget has capacity at once.
  const reserve = async (bytes: number) => budget.reserveNow(bytes) ?? (await budget.reserve(bytes, signal));
  let release = share === 0 ? () => {} : await reserve(share);
  let opened: Opened;
  try {
    opened = await open();
  } catch (error) {
    release();
    throw error;
  }
  const first = opened;

  const close = () => {
    opened.close();
    release();
  };
  /** Reserves the memory that rendering needs. */
  const enlarge = async (): Promise<() => void> => {
    const { memory } = first;
    const more = share === 0 ? undefined : budget.reserveNow(memory - share);
    if (more !== undefined) return more;
    if (share === 0) return reserve(memory);
    close();
    release = await reserve(memory);
    opened = await open();
    if (opened.digest !== first.digest) throw changed();
    return () => {};
  };
  return {
    ...first,
    async render(orders: readonly Order[]): Promise<Rendered> {
      assertHoldable(first.memory, options.memoryCap);
      if (budget.exceeds(first.memory) && !warned.has(budget)) {
        warned.add(budget);
        emit(alone(job, first.memory, options.memory));
      }
      const giveBack = await enlarge();
      try {
        return await opened.render(orders);
      } finally {
        giveBack();
      }
    },
    close,
  };
}

function changed(): ImgtoolError {
  return new ImgtoolError('source_changed', 'was changed while it waited for memory', {
    fix: 'run the same command again once it is whole',
  });
}

const mb = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;

/** Errors: `too_large`. Without this check the system could kill imgtool or another process to free memory. */
export function assertHoldable(needed: number, cap: number): void {
  if (!(needed > cap)) return;
  const enough = Math.ceil(needed / 1e6);
  throw new ImgtoolError(
    'too_large',
    `may take ${mb(needed)} of memory, more than the ${mb(cap)} that one picture may take`,
    {
      fix: `allow it with {{memory ${enough}M}} if this machine has that much, or leave it out with {{exclude}}`,
    },
  );
}

function alone({ given }: Job, needed: number, most: number): Event {
  return {
    type: 'warning',
    message: `${given}: may take ${mb(needed)} of memory, more than the ${mb(most)} there are for pictures: it and others like it are rendered alone`,
    fix: 'raise it with {{memory}} if there is more',
  };
}
