import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../../src/model.ts';
import { sha } from '../../records.ts';
import { nothingCounted } from '../counting.ts';
import { jobOf, pictureOf } from '../made-up.ts';
import { copyToNew, counted, countsOf, put, putThree, run, shop, WAYS } from './moving.ts';

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
