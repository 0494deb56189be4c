import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dryRun } from '../../../src/core/batch/dry-run.ts';
import type { BatchOptions, Event } from '../../../src/model.ts';
import type { Renderer } from '../../../src/ports.ts';
import { LIMITS } from '../../image/pictures.ts';
import { finishedOf, jobOf, openWorkshop, rendererWith, type Workshop } from '../made-up.ts';

// Sources that an earlier run has processed under wider limits.

let shop: Workshop;
/** Number of opened sources. */
let opened: number;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  shop.put('a.jpg');
  opened = 0;
});
afterEach(() => shop.index.close());

/** A renderer that treats every source as a picture of this format. */
function rendererOf(format: string): Renderer {
  const renderer = rendererWith(() => {});
  return {
    ...renderer,
    async open(...given) {
      opened++;
      return { ...(await renderer.open(...given)), format };
    },
  };
}

const run = (limits: Partial<BatchOptions['limits']>, format = 'jpeg'): Promise<Event[]> =>
  shop.run({ limits: { ...LIMITS, ...limits } }, { renderer: rendererOf(format) });

const SVG = {
  code: 'unsupported_format',
  message: 'SVG is not read unless it is asked for: it can be made to hang',
  fix: 'add {{allowSvg}} when you trust where the file comes from',
};
const TOO_LARGE = {
  code: 'too_large',
  message: '80 x 60 px is over the limit of 0 Mpx',
  fix: 'raise it with {{limitPixels 1M}} if you trust the picture',
};

describe.each([
  ['an SVG', 'svg', { allowSvg: true }, { allowSvg: false }, SVG],
  ['a picture above the pixel limit', 'jpeg', { pixels: 4_800 }, { pixels: 4_799 }, TOO_LARGE],
] as const)('%s', (_, format, wide, narrow, error) => {
  it('is refused without being opened, even if all its outputs are in order', async () => {
    await run(wide, format);
    opened = 0;
    const events = await run(narrow, format);
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'failed', error });
    expect([opened, finishedOf(events).counts.failed]).toEqual([0, 1]);
    expect(jobOf(await run(wide, format), 'a.jpg').state).toBe('unchanged');
    expect([opened, shop.outputs()]).toEqual([0, ['a_small.webp']]);
  });

  it('is refused when another output of it is missing', async () => {
    await run(wide, format);
    opened = 0;
    const over = { limits: { ...LIMITS, ...narrow }, template: 'other/{name}_{variant}.{ext}' };
    const events = await shop.run(over, { renderer: rendererOf(format) });
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'failed', error });
    expect([opened, shop.outputs()]).toEqual([0, ['a_small.webp']]);
  });

  it('is refused by a dry run', async () => {
    await run(wide, format);
    opened = 0;
    const over = { limits: { ...LIMITS, ...narrow } };
    const { ports, work } = await shop.prepare('process', over, { renderer: rendererOf(format) });
    const events: Event[] = [];
    await dryRun(ports, work, (event) => void events.push(event), new AbortController().signal);
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'failed', error });
    expect(opened).toBe(0);
  });
});
