import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import type { Ports } from '../../../src/core/job/context.ts';

import { readIndex } from '../../cli/recorded.ts';
import { sha } from '../../records.ts';
import { finishedOf, jobOf, openWorkshop, pictureOf, rendererWith, type Workshop } from '../made-up.ts';

// A source may change at any moment while it is in work. The record of an output must always name its real bytes.

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
});
afterEach(() => shop.index.close());

const CHANGES: Record<string, () => void> = {
  'written over': () => shop.change('a.jpg', 'quite other bytes'),
  'replaced by another file': () => {
    writeFileSync(shop.at('new'), 'the bytes of another file');
    renameSync(shop.at('new'), shop.at('photos/a.jpg'));
  },
  'cut short': () => truncateSync(shop.at('photos/a.jpg'), 2),
  removed: () => rmSync(shop.at('photos/a.jpg')),
};

/** For each moment, ports that call `now` at that moment. */
const MOMENTS: Record<string, (now: () => void) => Partial<Ports>> = {
  'when it was read and not yet decoded': (now) => {
    const renderer = rendererWith(() => {});
    return {
      renderer: {
        ...renderer,
        async open(...given) {
          const opened = await renderer.open(...given);
          now();
          return opened;
        },
      },
    };
  },
  'while it is rendered': (now) => ({ renderer: rendererWith(now) }),
  'when its outputs are about to be shown': (now) => {
    const storage = openLocalStorage('a1');
    return {
      storage: {
        ...storage,
        commit(staged) {
          now();
          return storage.commit(staged);
        },
      },
    };
  },
  'when its outputs are shown and not yet recorded': (now) => {
    const { index } = shop;
    return {
      index: {
        ...index,
        settle(...given) {
          now();
          return index.settle(...given);
        },
      },
    };
  },
};

function once(call: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    call();
  };
}

function assertMadeFromWhatIsRecorded(): void {
  for (const { path, digest, checksum } of readIndex(shop.at('state/index.db')).outputs) {
    if (checksum === null) continue;
    const text = pictureOf(digest ?? '');
    expect([checksum, shop.text(path.slice(shop.at('').length + 1))], path).toEqual([sha(text), text]);
  }
}

describe.each(Object.entries(CHANGES))('a source that is %s', (what, change) => {
  it.each(Object.entries(MOMENTS))('gets no wrong record %s', async (moment, portsThat) => {
    shop.change('a.jpg', 'the first bytes');
    const events = await shop.run({ jobs: 1 }, portsThat(once(change)));
    assertMadeFromWhatIsRecorded();
    const { state, attempts, error } = jobOf(events, 'a.jpg');
    const isSeen = !moment.includes('outputs');
    const end = what === 'removed' && isSeen ? ['failed', 'source_missing'] : ['completed', undefined];
    expect([state, error?.code]).toEqual(end);
    // Before its outputs are visible, the job begins again with the new source.
    if (isSeen) expect(attempts).toBe(what === 'removed' ? 1 : 2);
    if (isSeen) expect(shop.outputs()).toEqual(what === 'removed' ? [] : ['a_small.webp']);
    // The next run corrects the outputs.
    const next = await shop.run();
    assertMadeFromWhatIsRecorded();
    if (what === 'removed') expect(finishedOf(next).counts.completed).toBe(0);
    else expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha(shop.text('photos/a.jpg'))));
  });
});
