import { chmodSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BatchOptions, Event } from '../../../src/model.ts';
import { batchOptions, sha } from '../../records.ts';
import { type Counted, countingPorts, nothingCounted } from '../counting.ts';
import { finishedOf, jobOf, openWorkshop, pictureOf, type Workshop } from '../made-up.ts';
import { SETTLE, type Watching, type WatchingOptions, watchOf } from '../made-up-watch.ts';

// Changes that neither size nor modification time shows.

let shop: Workshop;
let counted: Counted;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  counted = nothingCounted();
});
afterEach(() => shop.index.close());

async function counting(command: 'process' | 'watch', over: Partial<BatchOptions> = {}) {
  const { ports } = await shop.prepare(command, over);
  return countingPorts(counted, ports.storage);
}

async function run(over: Partial<BatchOptions> = {}): Promise<Event[]> {
  Object.assign(counted, nothingCounted());
  return shop.run(over, await counting('process', over));
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `${1000 + i}.jpg`);

/** Overwrites a file with other bytes of the same length, and restores its modification time. */
function editInSilence(name: string, text: string): void {
  const path = shop.at(`photos/${name}`);
  const before = statSync(path, { bigint: true });
  writeFileSync(path, text, { flag: 'r+' });
  utimesSync(path, 1_500_000_000, 1_500_000_000);
  const after = statSync(path, { bigint: true });
  expect([after.size, after.mtimeNs, after.ino]).toEqual([before.size, before.mtimeNs, before.ino]);
}

const IGNORED = { walk: { ...batchOptions().walk, ignoreCtime: true } };

describe.skipIf(process.platform === 'win32')('a source with only a new ctime', () => {
  it('is rendered again when its bytes have changed', async () => {
    shop.change('a.jpg', 'bytes 1');
    shop.put('b.jpg');
    await run();
    editInSilence('a.jpg', 'bytes 2');
    expect(finishedOf(await run()).counts).toMatchObject({ completed: 1, unchanged: 1 });
    expect(counted).toMatchObject({ read: ['a.jpg'], rendered: ['a.jpg'] });
    expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha('bytes 2')));
    expect(finishedOf(await run()).counts).toMatchObject({ unchanged: 2 });
    expect(counted.read).toEqual([]);
  });

  it('is read only once when its bytes are the same', async () => {
    const all = names(100);
    shop.put(...all);
    await run();
    for (const name of all) chmodSync(shop.at(`photos/${name}`), 0o600);
    expect(finishedOf(await run()).counts).toMatchObject({ unchanged: 100, completed: 0 });
    counted.read.sort();
    expect(counted).toEqual({ read: all, rendered: [], checked: [] });
    expect(finishedOf(await run()).counts).toMatchObject({ unchanged: 100 });
    expect(counted.read).toEqual([]);
  });

  it('is unchanged when ctimes are ignored', async () => {
    shop.change('a.jpg', 'bytes 1');
    await run();
    editInSilence('a.jpg', 'bytes 2');
    expect(finishedOf(await run(IGNORED)).counts).toMatchObject({ unchanged: 1 });
    expect(counted.read).toEqual([]);
    // The record keeps the ctime of the bytes that were read.
    expect(jobOf(await run(), 'a.jpg').state).toBe('completed');
  });

  it('is unchanged when no ctime was recorded, and gets its ctime recorded', async () => {
    shop.put('a.jpg', 'b.jpg');
    await run();
    await forgetCtimes('a.jpg', 'b.jpg');
    expect(finishedOf(await run(IGNORED)).counts).toMatchObject({ unchanged: 2 });
    expect(await recordedCtime('a.jpg')).toBeNull();
    expect(finishedOf(await run()).counts).toMatchObject({ unchanged: 2 });
    expect(counted.read).toEqual([]);
    for (const name of ['a.jpg', 'b.jpg']) expect(await recordedCtime(name)).toBe(ctimeOf(name));
    editInSilence('a.jpg', 'A.jpg');
    expect(finishedOf(await run()).counts).toMatchObject({ completed: 1, unchanged: 1 });
  });

  it('gets its ctime recorded even when its outputs need work', async () => {
    shop.put('a.jpg');
    await run();
    await forgetCtimes('a.jpg');
    writeFileSync(shop.at('out/a_small.webp'), 'edited');
    expect(jobOf(await run(), 'a.jpg').state).toBe('completed');
    expect(await recordedCtime('a.jpg')).toBe(ctimeOf('a.jpg'));
  });
});

it('the next run finds outputs unchanged after many copies were linked to them', async () => {
  const all = names(60);
  for (const name of all) shop.change(name, 'the same bytes');
  expect(finishedOf(await run()).counts).toMatchObject({ completed: 1, duplicate: 59 });
  expect(statSync(shop.at('out/1000_small.webp')).nlink).toBe(60);
  expect(finishedOf(await run()).counts).toMatchObject({ unchanged: 60 });
  expect(counted).toEqual(nothingCounted());
});

it('touched outputs are read, but not their sources', async () => {
  const all = names(40);
  shop.put(...all);
  await run();
  for (const name of shop.outputs()) utimesSync(shop.at(`out/${name}`), 1_600_000_000, 1_600_000_000);
  expect(finishedOf(await run()).counts).toMatchObject({ unchanged: 40 });
  expect([counted.read, counted.checked.length]).toEqual([[], 40]);
});

describe.skipIf(process.platform === 'win32')('a watch', () => {
  let watching: Watching | undefined;
  afterEach(() => watching?.stop());
  const watch = async (options: WatchingOptions = {}) => {
    const ports = await counting('watch');
    watching = await watchOf(shop, { ports, ...options });
    await watching.idle();
    return watching;
  };

  it('processes a source again after a reported change of only its ctime', async () => {
    shop.change('a.jpg', 'bytes 1');
    await run();
    const it = await watch();
    await it.job('a.jpg', 'unchanged');
    editInSilence('a.jpg', 'bytes 2');
    it.changed('a.jpg');
    await it.pass(2 * SETTLE);
    expect(await it.job('a.jpg', 'completed')).toMatchObject({ digest: sha('bytes 2') });
    editInSilence('a.jpg', 'bytes 3');
    it.changed('a.jpg');
    await it.pass(2 * SETTLE);
    while ((await it.job('a.jpg', 'completed')).digest !== sha('bytes 3')) await it.idle();
  });

  it('finds an unreported change of the ctime by a walk, and reads the source once', async () => {
    shop.change('a.jpg', 'bytes 1');
    const it = await watch({ scanInterval: 60_000 });
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    editInSilence('a.jpg', 'bytes 2');
    await it.pass(75_000);
    await it.pass(2 * SETTLE);
    while ((await it.job('a.jpg', 'completed')).digest !== sha('bytes 2')) await it.idle();
    counted.read = [];
    await it.pass(75_000);
    await it.pass(75_000);
    expect(counted.read).toEqual([]);
  });

  it('reads a source with the same bytes once, and reports it as unchanged', async () => {
    shop.put('a.jpg', 'b.jpg');
    const it = await watch({ scanInterval: 60_000 });
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    await it.job('b.jpg', 'completed');
    counted.read = [];
    chmodSync(shop.at('photos/a.jpg'), 0o600);
    it.changed('a.jpg');
    await it.pass(2 * SETTLE);
    await it.job('a.jpg', 'unchanged');
    await it.pass(75_000);
    expect(counted.read).toEqual(['a.jpg']);
    expect(await it.stop()).toMatchObject({ counts: { completed: 2, unchanged: 0 } });
  });
});

function ctimeOf(name: string): string {
  return String(statSync(shop.at(`photos/${name}`), { bigint: true }).ctimeNs);
}

async function recordOf(name: string) {
  const path = shop.at(`photos/${name}`);
  return (await shop.index.lookup([path], [])).source(path);
}

async function recordedCtime(name: string): Promise<string | null | undefined> {
  return (await recordOf(name))?.ctime;
}

/** Records of an older version, without ctimes. */
async function forgetCtimes(...of: string[]): Promise<void> {
  const begun = await shop.index.begin({ ...(await shop.prepare('process')).work, run: 'abcd1234' });
  for (const name of of) {
    const source = (await recordOf(name))!;
    const job = { source: source.path, given: name, relative: name, candidates: [[shop.at(`old/${name}`)]] };
    await shop.index.add(begun, [job], { unchanged: 0, bytesIn: 0, bytesOut: 0, degraded: [] });
    const [taken] = await shop.index.take(begun, 1, Date.now());
    const settled = { state: 'completed', made: [], skipped: [], outputs: [] } as const;
    await shop.index.settle(begun, taken!, { ...settled, source: { ...source, ctime: null } });
  }
  await shop.index.end(begun, 'finished');
}
