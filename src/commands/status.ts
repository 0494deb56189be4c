import { setTimeout as sleep } from 'node:timers/promises';
import { hintAsFlags, nearest } from '../config.ts';
import { JOB_STATES, type JobRecord } from '../model.ts';
import { configOf, LOOKING, pagesFor, type Verb } from './verb.ts';

/** Milliseconds between two reads of a running batch. */
const EVERY = 500;

export const statusVerb: Verb = {
  description: 'what became of one batch',
  settings: LOOKING,
  argument: ['<batch-id>', 'any unique beginning of its id'],
  options: [
    ['--all', 'every job, not only the failed ones'],
    ['--watch', 'show it until the batch has ended'],
  ],
  async run(call) {
    const config = await configOf(call);
    const pages = await pagesFor(call, config);
    const { openHistory } = await import('../history.ts');
    const past = await openHistory(config.index, nearest, hintAsFlags);
    const all = call.options.all === true;
    try {
      for (;;) {
        const batch = await past.find(call.paths[0] ?? '');
        const jobs: JobRecord[] = [];
        for await (const job of past.jobs(batch.id, all ? JOB_STATES : ['failed'])) jobs.push(job);
        await pages.status(batch, byStateAndName(jobs), all);
        if (call.options.watch !== true || batch.state !== 'running') return 'ok';
        await sleep(EVERY);
      }
    } finally {
      await past.close();
    }
  },
};

/** Sorts by state, then by path. The index orders jobs by work, the largest of each few hundred pictures first. */
export function byStateAndName(jobs: readonly JobRecord[]): JobRecord[] {
  return [...jobs].sort((a, b) => {
    const [first, second] = [JOB_STATES.indexOf(a.state), JOB_STATES.indexOf(b.state)];
    if (first !== second) return first - second;
    return Buffer.compare(Buffer.from(a.source), Buffer.from(b.source));
  });
}
