import type { Job, JobEvent } from '../../model.ts';
import type { Clock } from '../clock.ts';
import { openWakeup, type Wakeup } from '../queue/wakeup.ts';
import type { Stage } from './known.ts';

/** Collects how a watch's jobs end, and wakes the watch. */
export interface JobOutcomes {
  readonly wakeup: Wakeup;
  ended(job: Job, how: JobEvent['state'] | 'retrying' | 'withdrawn'): void;
  /** Sources whose jobs have left the batch since the last call. A file at such a path counts as new. */
  withdrawn(): string[];
  /** Sources whose jobs have come further since the last call, with their stages. */
  others(): [string, Stage][];
}

const STAGES: Readonly<Partial<Record<JobEvent['state'] | 'retrying', Stage>>> = {
  completed: 'done',
  duplicate: 'done',
  unchanged: 'counted',
  failed: 'failed',
  retrying: 'failed',
};

export function openJobOutcomes(clock: Clock): JobOutcomes {
  const wakeup = openWakeup(clock);
  const withdrawn: string[] = [];
  const others: [string, Stage][] = [];
  return {
    wakeup,
    ended({ source }, how) {
      if (how === 'withdrawn') {
        withdrawn.push(source);
        wakeup.wake();
        return;
      }
      const stage = STAGES[how];
      if (stage !== undefined) others.push([source, stage]);
    },
    withdrawn: () => withdrawn.splice(0),
    others: () => others.splice(0),
  };
}
