import {
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLocalSources } from '../../src/adapters/local-sources/index.ts';
import { runBatch } from '../../src/core/batch.ts';
import { dryRun } from '../../src/core/dry-run.ts';
import type { BatchOptions, Event } from '../../src/model.ts';
import { sha, variant } from '../records.ts';
import { type Counted, countingPorts, nothingCounted } from './counting.ts';
import { finishedOf, jobOf, openWorkshop, pictureOf, type Workshop } from './made-up.ts';

/** Projects of sources and outputs that are moved as a whole. */

const TWO = { name: 'test', variants: [variant(), variant({ name: 'wide', width: 200 })] };

let shop: Workshop;
let counted: Counted;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  counted = nothingCounted();
});
afterEach(() => shop.index.close());

interface Project extends Partial<Omit<BatchOptions, 'out'>> {
  /** Below the project. */
  readonly out?: string;
  readonly paths?: readonly string[];
}

async function prepare(folder: string, { out = 'out', paths = ['photos'], ...over }: Project) {
  const options = { preset: TWO, ...over, out: shop.at(join(folder, out)), outGiven: out };
  const { ports, work } = await shop.prepare('process', options);
  const rules = { ...work.options.walk, out: options.out, index: shop.at('state/index.db') };
  const sources = await openLocalSources({ paths, list: null, cwd: shop.at(folder) }, rules);
  return { ports: { ...ports, sources, ...countingPorts(counted, ports.storage) }, work };
}

async function run(folder: string, project: Project = {}): Promise<Event[]> {
  Object.assign(counted, nothingCounted());
  const { ports, work } = await prepare(folder, project);
  const events: Event[] = [];
  const emit = (event: Event) => void events.push(event);
  await (work.options.dryRun ? dryRun : runBatch)(ports, work, emit, new AbortController().signal);
  assertSum(events);
  return events;
}

/** A total is the sum over its states. */
function assertSum(events: readonly Event[]): void {
  const { counts } = finishedOf(events);
  const told = events.filter(({ type }) => type === 'job').length;
  expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(told);
}

function put(path: string, text = path): void {
  mkdirSync(join(shop.at(path), '..'), { recursive: true });
  writeFileSync(shop.at(path), text);
  utimesSync(shop.at(path), 1_500_000_000, 1_500_000_000);
}

function putThree(): void {
  for (const name of ['a', 'b', 'sub/c']) put(`old/photos/${name}.jpg`);
}

const countsOf = (events: readonly Event[]) =>
  Object.fromEntries(Object.entries(finishedOf(events).counts).filter(([, count]) => count > 0));

/** Moves as `mv` does, or copies as `cp -r` does: inodes and times are others then. */
const WAYS: readonly [string, () => void][] = [
  ['moved', () => renameSync(shop.at('old'), shop.at('new'))],
  [
    'copied with other times and removed',
    () => {
      copyToNew();
      rmSync(shop.at('old'), { recursive: true });
    },
  ],
  ['copied with other times', copyToNew],
];

function copyToNew(): void {
  cpSync(shop.at('old'), shop.at('new'), { recursive: true });
  for (const name of readdirSync(shop.at('new'), { recursive: true, encoding: 'utf8' }))
    utimesSync(shop.at(`new/${name}`), 1_600_000_000, 1_600_000_000);
}

describe.each(WAYS)('a project that was %s', (_, move) => {
  it('has its outputs adopted, without anything rendered, and is unchanged after that', async () => {
    putThree();
    await run('old');
    move();
    const before = readdirSync(shop.at('new/out'), { recursive: true }).sort();
    const inodes = () => before.map((name) => statSync(shop.at(`new/out/${name}`)).ino);
    const inodesBefore = inodes();
    const events = await run('new');
    expect(countsOf(events)).toEqual({ completed: 3 });
    expect([counted.rendered, counted.read.sort()]).toEqual([[], ['a.jpg', 'b.jpg', 'c.jpg']]);
    expect(jobOf(events, 'sub/c.jpg')).toMatchObject({ reused: true, width: 80, dominantColor: '#102030' });
    expect(readdirSync(shop.at('new/out'), { recursive: true }).sort()).toEqual(before);
    expect(inodes()).toEqual(inodesBefore);
    expect(countsOf(await run('new'))).toEqual({ unchanged: 3 });
    expect(counted).toEqual(nothingCounted());
  });

  it('is foreseen so by a dry run', async () => {
    putThree();
    await run('old');
    move();
    const events = await run('new', { dryRun: true });
    expect(countsOf(events)).toEqual({ completed: 3 });
    expect(jobOf(events, 'a.jpg')).toMatchObject({ would: 'reuse', wouldWrite: [] });
    expect(counted.rendered).toEqual([]);
  });

  it.each(['link', 'copy'] as const)('has copies in it as before, with %s', async (duplicates) => {
    for (const name of ['a', 'b', 'c']) put(`old/photos/${name}.jpg`, 'the same');
    await run('old', { duplicates });
    move();
    const before = readdirSync(shop.at('new/out')).sort();
    expect(countsOf(await run('new', { duplicates }))).toEqual({ completed: 1, duplicate: 2 });
    expect(counted.rendered).toEqual([]);
    expect(readdirSync(shop.at('new/out')).sort()).toEqual(before);
    expect(countsOf(await run('new', { duplicates }))).toEqual({ unchanged: 3 });
  });

  it('gets only the outputs that were lost or altered on the way', async () => {
    putThree();
    await run('old');
    move();
    rmSync(shop.at('new/out/b_small.webp'));
    const events = await run('new');
    expect(countsOf(events)).toEqual({ completed: 3 });
    expect(counted.rendered.length).toBeLessThan(2);
    expect(shop.text('new/out/b_small.webp')).toBe(pictureOf(sha('old/photos/b.jpg')));
    expect(countsOf(await run('new'))).toEqual({ unchanged: 3 });
  });
});

it('a project that was moved leaves its copies without outputs where duplicates are skipped', async () => {
  for (const name of ['a', 'b', 'c']) put(`old/photos/${name}.jpg`, 'the same');
  // With several at a time any of the copies may be the first.
  const skip = { duplicates: 'skip', jobs: 1 } as const;
  await run('old', skip);
  renameSync(shop.at('old'), shop.at('new'));
  expect(countsOf(await run('new', skip))).toEqual({ completed: 1, duplicate: 2 });
  expect([counted.rendered, readdirSync(shop.at('new/out')).sort()]).toEqual([
    [],
    ['a_small.webp', 'a_wide.webp'],
  ]);
  expect(countsOf(await run('new', skip))).toEqual({ unchanged: 1, duplicate: 2 });
  expect(counted.rendered).toEqual([]);
});

it('a file of another picture under the name of an output is left as it is', async () => {
  putThree();
  await run('old');
  renameSync(shop.at('old'), shop.at('new'));
  writeFileSync(shop.at('new/out/a_small.webp'), 'x'.repeat(shop.text('new/out/b_small.webp').length));
  const events = await run('new');
  expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'failed', error: { code: 'output_exists' } });
  expect(countsOf(events)).toEqual({ completed: 2, failed: 1 });
  expect(shop.text('new/out/a_small.webp')).toMatch(/^x+$/);
});
