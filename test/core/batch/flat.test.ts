import { existsSync, mkdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { runBatch } from '../../../src/core/batch/run.ts';
import { openWorkshop, type Workshop } from '../made-up.ts';

/** Long paths, so a list of them shows in the heap, in folders that are walked one at a time. */
const LONG = 'x'.repeat(200);
const IN_A_FOLDER = 100;
const FILES = 4_800;
/** Jobs between two measurements of the heap. */
const LOOK = 100;
/** Bytes per file: about half of a list of the paths. Compiled code takes 300 kB in all, so the files must be many. */
const A_PATH = 250;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
// Most of the time of such a batch is syncing, which takes no time in memory.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

describe('the memory of a batch', () => {
  it('does not grow with the number of rendered or unchanged files', async () => {
    await heapOf(await shopWith(600));
    const shop = await shopWith(FILES);
    for (const state of ['completed', 'unchanged'] as const) {
      const { states, heap } = await heapOf(shop);
      expect([...states]).toEqual([state]);
      // Half of the files are between the second quarter and the last. The minimum ignores chunks in work.
      const [second, last] = [quarter(heap, 1), quarter(heap, 3)];
      expect(last - second, `bytes more, ${state}`).toBeLessThan((FILES / 2) * A_PATH);
    }
  });
});

async function shopWith(count: number): Promise<Workshop> {
  const shop = await openWorkshop(() => {});
  for (let i = 0; i < count; i++) {
    const folder = `${LONG}-${Math.floor(i / IN_A_FOLDER)}`;
    if (i % IN_A_FOLDER === 0) mkdirSync(shop.at(`photos/${folder}`));
    shop.put(`${folder}/${LONG}-${i}.jpg`);
  }
  return shop;
}

/** Used bytes of the heap, measured again and again while jobs end, and the states of the jobs. */
async function heapOf(shop: Workshop): Promise<{ heap: readonly number[]; states: ReadonlySet<string> }> {
  const { ports, work } = await shop.prepare('process');
  const states = new Set<string>();
  const heap: number[] = [];
  let ended = 0;
  const look = () => {
    collect();
    heap.push(process.memoryUsage().heapUsed);
  };
  const { signal } = new AbortController();
  await runBatch(
    ports,
    work,
    (event) => {
      if (event.type !== 'job') return;
      states.add(event.state);
      if (++ended % LOOK === 0) look();
    },
    signal,
  );
  return { heap, states };
}

/** The minimum of one quarter of the measurements. */
function quarter(heap: readonly number[], which: number): number {
  const each = heap.length / 4;
  return Math.min(...heap.slice(which * each, (which + 1) * each));
}
