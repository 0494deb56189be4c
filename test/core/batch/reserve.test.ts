import { mkdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sources } from '../../../src/ports.ts';
import { sha } from '../../records.ts';
import { finishedOf, jobOf, openWorkshop, pictureOf, type Workshop } from '../made-up.ts';
import { SETTLE, type Watching, watchOf } from '../made-up-watch.ts';

let shop: Workshop;
let watching: Watching | undefined;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  watching = undefined;
});
afterEach(async () => {
  await watching?.stop();
  await shop.index.close();
});

const tag = (name: string) => `~${sha(name).slice(0, 8)}`;

describe('names of other sources', () => {
  it('are looked up once for all sources of a chunk', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `${100 + i}`);
    shop.put(...names.map((name) => `${name}.jpg`));
    await shop.run();
    shop.put(...names.map((name) => `${name}.png`));
    let asked = 0;
    const counting = async () => {
      const { ports } = await shop.prepare('process');
      const sources: Sources = {
        ...ports.sources,
        async gone(paths) {
          asked++;
          return ports.sources.gone(paths);
        },
      };
      return { sources };
    };
    const events = await shop.run({}, await counting());
    expect(finishedOf(events).counts).toMatchObject({ completed: 50, unchanged: 50 });
    expect(asked).toBe(1);
    // All sources have their own names now.
    expect(finishedOf(await shop.run({}, await counting())).counts).toMatchObject({ unchanged: 100 });
    expect(asked).toBe(1);
  });

  it('stay with a source whose folder may be on an unmounted disk', async () => {
    mkdirSync(shop.at('photos/disk'));
    shop.put('disk/x.jpg');
    const flat = { template: '{name}_{variant}.{ext}' };
    await shop.run(flat);
    rmSync(shop.at('photos/disk/x.jpg'));
    shop.put('x.png');
    const events = await shop.run(flat);
    expect(jobOf(events, 'x.png').outputs?.[0]?.path).toBe(`out/x${tag('x.png')}_small.webp`);
  });
});

describe('a source that takes its plain name with --mirror', () => {
  it('gives its former outputs to skipped duplicates when its bytes have changed', async () => {
    const skip = { duplicates: 'skip' } as const;
    shop.put('logo.gif');
    await shop.run(skip);
    shop.change('logo.jpg', 'the picture');
    await shop.run(skip);
    shop.change('twin.jpg', 'the picture');
    await shop.run(skip);
    const tagged = `logo${tag('logo.jpg')}_small.webp`;
    expect(shop.outputs()).toEqual(['logo_small.webp', tagged].sort());
    watching = await watchOf(shop, { mirror: true, batch: skip });
    await watching.idle();
    shop.change('logo.jpg', 'another picture');
    rmSync(shop.at('photos/logo.gif'));
    watching.changed('logo.jpg', 'logo.gif');
    await watching.pass(SETTLE);
    await watching.pass(2 * SETTLE);
    await watching.waitFor('removed');
    expect(shop.outputs()).toEqual(['logo_small.webp', 'twin_small.webp']);
    expect(shop.text('out/logo_small.webp')).toBe(pictureOf(sha('another picture')));
    expect(shop.text('out/twin_small.webp')).toBe(pictureOf(sha('the picture')));
  });
});
