import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteIndex } from '../../../src/adapters/sqlite-index/index.ts';
import { type IndexPast, openSqliteHistory } from '../../../src/adapters/sqlite-index/past.ts';
import { foldName } from '../../../src/core/batch/names.ts';
import type { Output } from '../../../src/model.ts';
import type { Index } from '../../../src/ports.ts';
import { begin, NOTHING, settled } from '../../contract/index-steps.ts';
import { makePlace } from '../../place.ts';
import { newJob, sourceRecord } from '../../records.ts';

/** The questions that only verbs ask. Those of the core are in the contract of the index. */

let index: Index;
let past: IndexPast;
beforeEach(async () => {
  const path = join(makePlace(), 'state', 'index.db');
  index = await openSqliteIndex(path, foldName);
  past = await openSqliteHistory(path);
});
afterEach(async () => {
  await past.close();
  await index.close();
});

const STILL: Output = { variant: 'v', format: 'webp', path: '/out/v', width: 1, height: 1, bytes: 1 };
const MOVING = { ...STILL, pages: 4 };

async function batchOf(names: readonly string[]) {
  const run = await begin(index);
  await index.add(
    run,
    names.map((name) => newJob(name)),
    NOTHING,
  );
  return { run, jobs: await index.take(run, names.length, Date.now()) };
}

describe('the history', () => {
  it('counts the sources of a batch with several pages that have a still output, by format', async () => {
    const pictures = {
      a: { format: 'gif', pages: 4, outputs: [STILL, MOVING] },
      b: { format: 'gif', pages: 2, outputs: [STILL, MOVING] },
      c: { format: 'tiff', pages: 3, outputs: [STILL, MOVING] },
      // All outputs of this source are animations.
      moving: { format: 'gif', pages: 4, outputs: [MOVING] },
      still: { format: 'jpeg', pages: 1, outputs: [STILL] },
    } as const;
    const { run, jobs } = await batchOf([...Object.keys(pictures), 'bad']);
    for (const job of jobs) {
      if (job.relative === 'bad') {
        const source = sourceRecord(job.source, { format: 'gif', pages: 9 });
        const error = { code: 'io', message: 'EIO' };
        await index.settle(run, job, settled({ state: 'failed', source, error }));
        continue;
      }
      const { outputs, ...facts } = pictures[job.relative as keyof typeof pictures];
      const source = sourceRecord(job.source, facts);
      await index.settle(run, job, settled({ state: 'completed', source, outputs }));
    }
    expect(await past.severalPages(run.batch)).toEqual(
      new Map([
        ['gif', 2],
        ['tiff', 1],
      ]),
    );
    const records: unknown[] = [];
    for await (const { format, pages } of past.jobs(run.batch, ['completed'])) records.push([format, pages]);
    expect(records).toEqual(Object.values(pictures).map(({ format, pages }) => [format, pages]));
  });

  it('names the damaged sources that have outputs, with and without a job', async () => {
    const run = await begin(index);
    await index.add(run, [newJob('a'), newJob('b'), newJob('c')], { ...NOTHING, degraded: ['/photos/z'] });
    for (const job of await index.take(run, 3, Date.now())) {
      const source = sourceRecord(job.source, { degraded: job.relative !== 'c' });
      await index.settle(run, job, settled({ state: 'completed', source }));
    }
    expect(await past.degraded(run.batch)).toEqual(['/photos/a', '/photos/b', '/photos/z']);
    expect(await past.degraded('none')).toEqual([]);
  });
});
