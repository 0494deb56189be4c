import { setTimeout as sleep } from 'node:timers/promises';
import { JOB_STATES, type JobRecord } from '../model.ts';
import { statusJson } from '../report/json.ts';
import { isLive } from '../report/open.ts';
import { statusText } from '../report/status.ts';
import { BATCH_ID, LOOKING, prepare, type Verb, withPast } from './verb.ts';

/** Milliseconds between two reads of a running batch. */
const EVERY = 500;

export const statusVerb: Verb = {
  description: 'show the state and the results of one batch',
  settings: LOOKING,
  argument: BATCH_ID,
  options: [
    ['--all', 'show every job and its outputs, not only failed jobs'],
    ['--watch', 'show the batch until it ends'],
  ],
  examples: ['imgtool status last', 'imgtool status 28256677 --all'],
  async run(call) {
    const { config, style, print } = await prepare(call);
    const all = call.options.all === true;
    const { stdout } = call.streams;
    const isFollowed = call.options.watch === true && isLive(config, style);
    const follow = isFollowed
      ? (await import('../report/follow.ts')).createFollower(() => stdout.rows || 24)
      : undefined;
    return withPast(config, async (past) => {
      let id = call.paths[0] ?? '';
      for (;;) {
        const batch = await past.find(id);
        // A batch that begins meanwhile is the last one then.
        id = batch.id;
        const jobs = byStateAndName(await past.jobs(batch.id, all ? JOB_STATES : ['failed']));
        const inWork = follow ? await past.jobs(batch.id, ['processing']) : [];
        const severalPages = await past.severalPages(batch.id);
        const degraded = await past.degraded(batch.id);
        await print(statusJson(batch, jobs, degraded), () => {
          const shown = [batch, jobs, style, Date.now(), { all, severalPages, degraded }] as const;
          return follow?.(inWork, ...shown) ?? statusText(...shown);
        });
        if (call.options.watch !== true || batch.state !== 'running') return 'ok';
        await sleep(EVERY);
      }
    });
  },
};

/** Sorts by state, then by path. The index orders jobs by work, the largest of each few hundred pictures first. */
export function byStateAndName(jobs: readonly JobRecord[]): JobRecord[] {
  const rank = ({ state }: JobRecord) => JOB_STATES.indexOf(state);
  return [...jobs].sort((a, b) => {
    return rank(a) - rank(b) || Buffer.compare(Buffer.from(a.source), Buffer.from(b.source));
  });
}
