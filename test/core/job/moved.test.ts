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
import { openLocalSources } from '../../../src/adapters/local-sources/index.ts';
import { dryRun } from '../../../src/core/batch/dry-run.ts';
import { takeIn } from '../../../src/core/batch/intake.ts';
import { runBatch } from '../../../src/core/batch/run.ts';
import { BATCH_RETRIES } from '../../../src/core/queue/retry-policy.ts';
import type { BatchOptions, Event } from '../../../src/model.ts';
import { sha, variant } from '../../records.ts';
import { type Counted, countingPorts, nothingCounted } from '../counting.ts';
import { finishedOf, jobOf, openWorkshop, pictureOf, type Workshop } from '../made-up.ts';
import { SETTLE, type Watching, watchOf } from '../made-up-watch.ts';

// Projects of sources and outputs that are moved as a whole.

const TWO = { name: 'test', variants: [variant(), variant({ name: 'wide', width: 200 })] };

let shop: Workshop;
let counted: Counted;
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

async function prepare(folder: string, { out = 'out', paths = ['photos'], ...over }: Project) {
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

async function run(folder: string, project: Project = {}, mirror = false): Promise<Event[]> {
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

/** Moves like `mv`, or copies like `cp -r`, which changes inodes and times. */
const WAYS: readonly [string, () => void][] = [
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

function copyToNew(): void {
  cpSync(shop.at('old'), shop.at('new'), { recursive: true });
  for (const name of readdirSync(shop.at('new'), { recursive: true, encoding: 'utf8' }))
    utimesSync(shop.at(`new/${name}`), 1_600_000_000, 1_600_000_000);
}

describe.each(WAYS)('a project that was %s', (_, move) => {
  it('has its outputs adopted without any rendering, and is unchanged after that', async () => {
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

  it('keeps a tagged name although the owner of the plain name was gone before', async () => {
    const flat = { template: '{name}_{variant}.{ext}' };
    put('old/photos/a/x.jpg');
    put('old/photos/b/x.jpg');
    await run('old', flat);
    rmSync(shop.at('old/photos/a'), { recursive: true });
    move();
    const before = readdirSync(shop.at('new/out')).sort();
    expect(countsOf(await run('new', flat))).toEqual({ completed: 1 });
    expect([counted.rendered, readdirSync(shop.at('new/out')).sort()]).toEqual([[], before]);
    expect(countsOf(await run('new', flat))).toEqual({ unchanged: 1 });
  });

  it('has the same result in a dry run', async () => {
    putThree();
    await run('old');
    move();
    const events = await run('new', { dryRun: true });
    expect(countsOf(events)).toEqual({ completed: 3 });
    expect(jobOf(events, 'a.jpg')).toMatchObject({ would: 'reuse', wouldWrite: [] });
    expect(counted.rendered).toEqual([]);
  });

  it.each(['link', 'copy'] as const)('has the same copies as before, with %s', async (duplicates) => {
    for (const name of ['a', 'b', 'c']) put(`old/photos/${name}.jpg`, 'the same');
    await run('old', { duplicates });
    move();
    const before = readdirSync(shop.at('new/out')).sort();
    const { completed = 0, duplicate = 0 } = countsOf(await run('new', { duplicates }));
    // Of copies that are processed at the same time, any one may count as the first.
    expect([completed + duplicate, completed > 0]).toEqual([3, true]);
    expect(counted.rendered).toEqual([]);
    expect(readdirSync(shop.at('new/out')).sort()).toEqual(before);
    expect(countsOf(await run('new', { duplicates }))).toEqual({ unchanged: 3 });
  });

  it('gets only those outputs again that were lost or changed on the way', async () => {
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

describe.each([
  ['in the folder of the sources', { out: 'photos' }],
  ['around the sources', { out: '.', paths: ['.'] }],
  ['in separate folders below the sources', { out: 'photos', template: '{variant}/{dir}/{name}.{ext}' }],
] as const)('a project with outputs %s', (_, project) => {
  const passedOver = (events: readonly Event[]) =>
    events.filter((event) => event.type === 'passed_over' && event.reason === 'output').length;

  it.each(WAYS)('keeps its outputs and treats none as a source when it was %s', async (__, move) => {
    putThree();
    await run('old', project);
    expect(counted.checked).toEqual([]);
    move();
    const foreseen = await run('new', { ...project, dryRun: true });
    expect([countsOf(foreseen), passedOver(foreseen)]).toEqual([{ completed: 3 }, 6]);
    const before = readdirSync(shop.at('new'), { recursive: true }).sort();
    const events = await run('new', project);
    expect([countsOf(events), passedOver(events)]).toEqual([{ completed: 3 }, 6]);
    expect(counted.rendered).toEqual([]);
    expect(readdirSync(shop.at('new'), { recursive: true }).sort()).toEqual(before);
    expect(countsOf(await run('new', project))).toEqual({ unchanged: 3 });
    expect(counted).toEqual(nothingCounted());
  });

  it('treats outputs of a gone source as outputs too', async () => {
    putThree();
    await run('old', project);
    rmSync(shop.at('old/photos/b.jpg'));
    renameSync(shop.at('old'), shop.at('new'));
    const events = await run('new', project);
    expect([countsOf(events), passedOver(events)]).toEqual([{ completed: 2 }, 6]);
    expect(counted.rendered).toEqual([]);
  });

  it('keeps its outputs when a folder in it was renamed', async () => {
    putThree();
    await run('old', project);
    const isBeside = !('template' in project);
    renameSync(shop.at('old/photos/sub'), shop.at('old/photos/album'));
    const events = await run('old', project);
    expect(countsOf(events)).toEqual({ completed: 1, unchanged: 2 });
    expect([counted.rendered, passedOver(events)]).toEqual([[], 6]);
    if (isBeside) expect(readdirSync(shop.at('old/photos'))).not.toContain('sub');
  });

  it('has its outputs rendered again with force', async () => {
    putThree();
    await run('old', project);
    renameSync(shop.at('old'), shop.at('new'));
    const events = await run('new', { ...project, force: true });
    expect([countsOf(events), passedOver(events)]).toEqual([{ completed: 3 }, 6]);
    expect(counted.rendered).toHaveLength(3);
  });
});

it('a source that has changed since its project was moved replaces its outputs', async () => {
  putThree();
  await run('old');
  copyToNew();
  put('new/photos/a.jpg', 'other bytes');
  const events = await run('new');
  expect(countsOf(events)).toEqual({ completed: 3 });
  expect(counted.rendered).toEqual(['a.jpg']);
  expect(shop.text('new/out/a_small.webp')).toBe(pictureOf(sha('other bytes')));
});

it.each([false, true])('moved sources keep their plain or tagged names; mirror: %s', async (mirror) => {
  put('old/photos/x.png', 'the first, and the longer one');
  await run('old');
  put('old/photos/x.jpg', 'the second');
  await run('old');
  const before = readdirSync(shop.at('old/out')).sort();
  expect(before).toEqual(
    expect.arrayContaining(['x_small.webp', expect.stringMatching(/^x~[0-9a-f]{8}_small/)]),
  );
  renameSync(shop.at('old'), shop.at('new'));
  expect(countsOf(await run('new', { dryRun: true }))).toEqual({ completed: 2 });
  expect(countsOf(await run('new', {}, mirror))).toEqual({ completed: 2 });
  expect([counted.rendered, readdirSync(shop.at('new/out')).sort()]).toEqual([[], before]);
  expect(shop.text('new/out/x_small.webp')).toBe(pictureOf(sha('the first, and the longer one')));
  expect(countsOf(await run('new', {}, mirror))).toEqual({ unchanged: 2 });
});

it('two moved folders with the same file names keep their output names', async () => {
  put('old/a/x.jpg', 'of a');
  put('old/b/x.jpg', 'of b');
  const paths = ['a', 'b'];
  await run('old', { paths });
  const before = readdirSync(shop.at('old/out')).sort();
  renameSync(shop.at('old'), shop.at('new'));
  expect(countsOf(await run('new', { paths }))).toEqual({ completed: 2 });
  expect([counted.rendered, readdirSync(shop.at('new/out')).sort()]).toEqual([[], before]);
});

it('an unknown file among the sources with the name of an output is a source', async () => {
  putThree();
  put('old/photos/d_small.webp', 'a picture');
  const events = await run('old', { out: 'photos' });
  expect(countsOf(events)).toEqual({ completed: 4 });
});

it('a moved project leaves its copies without outputs when duplicates are skipped', async () => {
  for (const name of ['a', 'b', 'c']) put(`old/photos/${name}.jpg`, 'the same');
  // With several jobs at a time any copy may be the first.
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

it('a file of another picture under the name of an output stays', async () => {
  putThree();
  await run('old');
  renameSync(shop.at('old'), shop.at('new'));
  writeFileSync(shop.at('new/out/a_small.webp'), 'x'.repeat(shop.text('new/out/b_small.webp').length));
  const events = await run('new');
  expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'failed', error: { code: 'output_exists' } });
  expect(countsOf(events)).toEqual({ completed: 2, failed: 1 });
  expect(shop.text('new/out/a_small.webp')).toMatch(/^x+$/);
});

describe.each([
  ['in a separate folder', {}],
  ['among the sources', { out: 'photos' }],
])('a watch that mirrors, with outputs %s', (_, project) => {
  let watching: Watching | undefined;
  afterEach(() => watching?.stop());
  const watch = async (folder: string) => {
    Object.assign(counted, nothingCounted());
    const { ports, work } = await prepare(folder, project);
    const { out, preset, outGiven } = work.options;
    const given = { sources: ports.sources, renderer: ports.renderer, storage: ports.storage };
    watching = await watchOf(shop, { mirror: true, ports: given, batch: { out, preset, outGiven } });
    await watching.pass(SETTLE);
    return watching;
  };

  it('adopts moved outputs and removes nothing', async () => {
    putThree();
    await run('old', project);
    renameSync(shop.at('old'), shop.at('new'));
    const before = readdirSync(shop.at('new'), { recursive: true }).sort();
    const first = await watch('new');
    for (const name of ['a.jpg', 'b.jpg', 'sub/c.jpg']) await first.job(name, 'completed');
    await first.pass(20 * SETTLE);
    expect(await first.stop()).toMatchObject({ counts: { completed: 3, failed: 0 } });
    expect([counted.rendered, readdirSync(shop.at('new'), { recursive: true }).sort()]).toEqual([[], before]);
    const second = await watch('new');
    for (const name of ['a.jpg', 'b.jpg', 'sub/c.jpg']) await second.job(name, 'unchanged');
    expect(await second.stop()).toMatchObject({ counts: { completed: 0, unchanged: 3 } });
    expect(counted).toEqual(nothingCounted());
  });

  it('adopts outputs that arrive together with their sources', async () => {
    putThree();
    await run('old', project);
    mkdirSync(shop.at('new/photos'), { recursive: true });
    const it = await watch('new');
    for (const name of readdirSync(shop.at('old'))) {
      rmSync(shop.at(`new/${name}`), { recursive: true, force: true });
      renameSync(shop.at(`old/${name}`), shop.at(`new/${name}`));
    }
    it.hint({ type: 'lost' });
    await it.pass(5_000);
    await it.pass(2 * SETTLE);
    for (const name of ['a.jpg', 'b.jpg', 'sub/c.jpg']) await it.job(name, 'completed');
    await it.pass(20 * SETTLE);
    expect(await it.stop()).toMatchObject({ counts: { completed: 3, failed: 0 } });
    expect(counted.rendered).toEqual([]);
  });
});
