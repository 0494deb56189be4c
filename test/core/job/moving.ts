import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { openLocalSources } from '../../../src/adapters/local-sources/index.ts';
import { dryRun } from '../../../src/core/batch/dry-run.ts';
import { takeIn } from '../../../src/core/batch/intake.ts';
import { runBatch } from '../../../src/core/batch/run.ts';
import { BATCH_RETRIES } from '../../../src/core/queue/retry-policy.ts';
import type { BatchOptions, Event } from '../../../src/model.ts';
import { variant } from '../../records.ts';
import { type Counted, countingPorts, nothingCounted } from '../counting.ts';
import { finishedOf, openWorkshop, type Workshop } from '../made-up.ts';

/** Projects of sources and outputs that are moved as a whole. */

const TWO = { name: 'test', variants: [variant(), variant({ name: 'wide', width: 200 })] };

export let shop: Workshop;
export let counted: Counted;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  counted = nothingCounted();
});
afterEach(() => shop.index.close());

interface Project extends Partial<Omit<BatchOptions, 'out'>> {
  /** Path below the project. */
  readonly out?: string;
  readonly paths?: readonly string[];
}

export async function prepare(folder: string, { out = 'out', paths = ['photos'], ...over }: Project) {
  const options = { preset: TWO, ...over, out: shop.at(join(folder, out)), outGiven: out };
  const { ports, work } = await shop.prepare('process', options);
  const rules = {
    ...work.options.walk,
    out: options.out,
    index: shop.at('state/index.db'),
    hasFolders: true,
  };
  const sources = await openLocalSources({ paths, list: null, cwd: shop.at(folder) }, rules);
  return { ports: { ...ports, sources, ...countingPorts(counted, ports.storage) }, work };
}

export async function run(folder: string, project: Project = {}, mirror = false): Promise<Event[]> {
  Object.assign(counted, nothingCounted());
  const { ports, work } = await prepare(folder, project);
  const events: Event[] = [];
  const emit = (event: Event) => void events.push(event);
  const { signal } = new AbortController();
  const mode = { takeIn, retryPolicy: BATCH_RETRIES, isEndless: false, mirror };
  if (work.options.dryRun) await dryRun(ports, work, emit, signal);
  else await runBatch(ports, work, emit, signal, mode);
  assertSum(events);
  return events;
}

/** Asserts that the counts of all states add up to the number of ended jobs. */
function assertSum(events: readonly Event[]): void {
  const { counts } = finishedOf(events);
  const ended = events.filter(({ type }) => type === 'job').length;
  expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(ended);
}

export function put(path: string, text = path): void {
  mkdirSync(join(shop.at(path), '..'), { recursive: true });
  writeFileSync(shop.at(path), text);
  utimesSync(shop.at(path), 1_500_000_000, 1_500_000_000);
}

export function putThree(): void {
  for (const name of ['a', 'b', 'sub/c']) put(`old/photos/${name}.jpg`);
}

export const countsOf = (events: readonly Event[]) =>
  Object.fromEntries(Object.entries(finishedOf(events).counts).filter(([, count]) => count > 0));

/** Moves like `mv`, or copies like `cp -r`, which changes inodes and times. */
export const WAYS: readonly [string, () => void][] = [
  ['moved', () => renameSync(shop.at('old'), shop.at('new'))],
  [
    'copied with new times and removed',
    () => {
      copyToNew();
      rmSync(shop.at('old'), { recursive: true });
    },
  ],
  ['copied with other times', copyToNew],
];

export function copyToNew(): void {
  cpSync(shop.at('old'), shop.at('new'), { recursive: true });
  for (const name of readdirSync(shop.at('new'), { recursive: true, encoding: 'utf8' }))
    utimesSync(shop.at(`new/${name}`), 1_600_000_000, 1_600_000_000);
}
