import { ImgtoolError, svgRefused, tooManyPixels } from '../../errors.ts';
import type { BatchOptions, Limits, SourceFile, SourceRecord, Warning } from '../../model.ts';
import type { Opened, Renderer } from '../../ports.ts';
import type { MemoryBudget } from '../queue/memory-budget.ts';

/** Bytes. A file up to this size is read without a reservation: one for each slot does no harm. */
const SMALL = 16 * 2 ** 20;
/** Bytes of a file that are held in memory at most. A larger file is decoded from the disk. */
const HELD = 256 * 2 ** 20;

/** Budgets for which the warning about too large a picture was reported. One warning is enough. */
const warned = new WeakSet<MemoryBudget>();

/** What opens sources, within which limits, and for which variants. */
export interface Opening {
  readonly renderer: Renderer;
  readonly budget: MemoryBudget;
  readonly options: Pick<BatchOptions, 'limits' | 'memory' | 'memoryCap' | 'preset'>;
  readonly emit: (warning: Warning) => void;
  /** Aborts when no more work may begin. */
  readonly signal: AbortSignal;
}

/** A source, with its path as a user would write it. */
type GivenSource = SourceFile & { readonly given: string };

/**
 * Opens a source of `size` bytes, and renders it once the memory budget allows. A large file waits for memory even before
 * it is read. When its decoding has to wait, the file is closed and later read again: a job that waits holds no memory.
 */
export async function openWithinBudget(opening: Opening, source: GivenSource, size: number): Promise<Opened> {
  const { budget, options, signal, emit } = opening;
  const share = size <= SMALL ? 0 : Math.min(size, HELD);
  // After an abort, jobs in work still go on if the budget has capacity at once.
  const reserve = async (bytes: number) => budget.reserveNow(bytes) ?? (await budget.reserve(bytes, signal));
  let release = share === 0 ? () => {} : await reserve(share);
  let opened = await openJobSource(opening, source).catch((error: unknown) => {
    release();
    throw error;
  });
  const { memory, digest } = opened;
  const close = () => {
    opened.close();
    release();
  };
  /** Reserves the memory that rendering needs. Returns a function that releases what was added. */
  const enlarge = async (): Promise<() => void> => {
    if (share === 0) return reserve(memory);
    const more = budget.reserveNow(memory - share);
    if (more !== undefined) return more;
    close();
    release = await reserve(memory);
    opened = await openJobSource(opening, source);
    if (opened.digest !== digest) throw changedMeanwhile('while it waited for memory');
    return () => {};
  };
  return {
    ...opened,
    async render(orders, progress) {
      assertHoldable(memory, options.memoryCap);
      if (budget.exceeds(memory) && !warned.has(budget)) {
        warned.add(budget);
        const need = `may take ${mb(memory)} of memory, more than the ${mb(options.memory)} there are for pictures`;
        const message = `${source.given}: ${need}: it and others like it are rendered alone`;
        emit({ type: 'warning', message, fix: 'raise it with {{memory}} if there is more' });
      }
      const giveBack = await enlarge();
      try {
        return await opened.render(orders, progress);
      } finally {
        giveBack();
      }
    },
    close,
  };
}

/** Reads a source once, and holds what it read until the caller closes it. */
export function openJobSource(
  { renderer, options }: Pick<Opening, 'renderer' | 'options'>,
  { path, bounds }: SourceFile,
): Promise<Opened> {
  return renderer.open({ path, bounds }, options.limits, options.preset.variants);
}

export function changedMeanwhile(when: string): ImgtoolError {
  return new ImgtoolError('source_changed', `was changed ${when}`, {
    fix: 'run the same command again once it is whole',
  });
}

const mb = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;

/** Errors: `too_large`. Without this check the system could kill imgtool or another process to free memory. */
export function assertHoldable(needed: number, cap: number): void {
  if (!(needed > cap)) return;
  const message = `may take ${mb(needed)} of memory, more than the ${mb(cap)} that one picture may take`;
  const enough = `{{memory ${Math.ceil(needed / 1e6)}M}}`;
  const fix = `allow it with ${enough} if this machine has that much, or leave it out with {{exclude}}`;
  throw new ImgtoolError('too_large', message, { fix });
}

/** The error with which the decoder would refuse a recorded picture under the current limits. Reads nothing. */
export function refusedNow(picture: SourceRecord, { allowSvg, pixels }: Limits): ImgtoolError | undefined {
  const { format, width, height } = picture;
  if (format === 'svg' && !allowSvg) return svgRefused();
  return width * height > pixels ? tooManyPixels(width, height, pixels) : undefined;
}
