import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { nothingCounted } from '../counting.ts';
import { SETTLE, type Watching, watchOf } from '../made-up-watch.ts';
import { counted, prepare, putThree, run, shop } from './moving.ts';

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
