import { setTimeout as sleep } from 'node:timers/promises';
import { ImgtoolError } from '../errors.ts';
import { JOB_STATES, type JobRecord } from '../model.ts';
import { listJson, statusJson } from '../report/json.ts';
import { listText } from '../report/list.ts';
import { statusText } from '../report/status.ts';
import { BATCH_ID, configOf, LOOKING, printFor, type Verb, withPast } from './verb.ts';

/** Milliseconds between two reads of a running batch. */
const EVERY = 500;

export const statusVerb: Verb = {
  description: 'what became of one batch',
  settings: LOOKING,
  argument: BATCH_ID,
  options: [
    ['--all', 'every job, not only the failed ones'],
    ['--watch', 'show it until the batch has ended'],
  ],
  async run(call) {
    const config = await configOf(call);
    const print = await printFor(call, config);
    const all = call.options.all === true;
    return withPast(config, async (past) => {
      for (;;) {
        const batch = await past.find(call.paths[0] ?? '');
        const jobs = byStateAndName(await past.jobs(batch.id, all ? JOB_STATES : ['failed']));
        const shown = all ? jobs : undefined;
        await print(statusJson(batch, jobs), (style) => statusText(batch, jobs, style, Date.now(), shown));
        if (call.options.watch !== true || batch.state !== 'running') return 'ok';
        await sleep(EVERY);
      }
    });
  },
};

export const listVerb: Verb = {
  description: 'recent batches, newest first',
  settings: LOOKING,
  options: [['--limit <n>', 'how many', '20']],
  async run(call) {
    const config = await configOf(call);
    const print = await printFor(call, config);
    return withPast(config, async (past) => {
      const limit = String(call.options.limit);
      const most = Number(limit);
      if (!Number.isInteger(most) || most < 1) {
        throw new ImgtoolError('usage', `--limit: expected a whole number from 1, got "${limit}"`);
      }
      const batches = await past.batches(most);
      await print(listJson(batches), (style) => listText(batches, style, Date.now(), most));
      return 'ok';
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
