import type { Event, JobProgress } from '../../model/events.ts';
import type { Index } from '../../ports.ts';
import type { Emit } from '../job/context.ts';

/** Milliseconds between two notes. A batch of small images has none: each of them ends before. */
const EVERY = 1_000;

/**
 * A reader of events that passes them on. Notes the finished variants of images in work in the index, where `status` of
 * another process finds them.
 */
export function notingProgress({ notePart }: Pick<Index, 'notePart'>, report: Emit) {
  const parts = new Map<number, JobProgress>();
  let timer: NodeJS.Timeout | undefined;
  const write = () => {
    timer = undefined;
    // The index only gives a figure to others here. Other calls report its failure.
    for (const [job, { done, total, share }] of parts) notePart(job, { done, total, share }).catch(() => {});
    parts.clear();
  };
  return {
    emit(event: Event): void {
      if (event.type === 'job.progress' && event.job !== undefined) {
        parts.set(event.job, event);
        timer ??= setTimeout(write, EVERY).unref();
      } else if (event.type === 'job' && event.job !== undefined) parts.delete(event.job);
      report(event);
    },
    close: () => clearTimeout(timer),
  };
}
