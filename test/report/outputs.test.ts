import { statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BatchTotals } from '../../src/model/totals.ts';
import type { Event } from '../../src/model.ts';
import { createPlainReport } from '../../src/report/plain.ts';
import { summaryLines } from '../../src/report/summary.ts';
import { finishedOf, openWorkshop, type Workshop } from '../core/made-up.ts';
import { memoryStream, styleOf } from './samples.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  shop.put('a.jpg', 'b.jpg');
  for (const copy of ['copy1.jpg', 'copy2.jpg', 'copy3.jpg']) shop.change(copy, 'a.jpg');
});
afterEach(() => shop.index.close());

describe('the outputs of a batch', () => {
  it.each([
    ['link', '5 files (2 rendered, 3 linked)', '6 files (1 rendered, 5 kept)'],
    ['copy', '5 files (2 rendered, 3 copied)', '6 files (1 rendered, 5 kept)'],
    ['skip', '2 files (2 rendered)', '3 files (1 rendered, 2 kept)'],
  ] as const)(
    'are the files that add up to the reported bytes, with duplicates by %s',
    async (duplicates, first, second) => {
      const begun = await shop.run({ duplicates });
      expect(toldOf(begun)).toEqual([`Outputs ${first}`, `outputs=${first.replace(' files', '')}`]);
      assertAsOnDisk(begun);
      shop.put('new.jpg');
      const again = await shop.run({ duplicates });
      expect(toldOf(again)).toEqual([`Outputs ${second}`, `outputs=${second.replace(' files', '')}`]);
      assertAsOnDisk(again);
    },
  );
});

/** The number of outputs on a terminal and in plain lines. */
function toldOf(events: readonly Event[]): string[] {
  const totals = new BatchTotals();
  const stream = memoryStream();
  const plain = createPlainReport({ stream, verbose: false, quiet: false });
  for (const event of events) {
    totals.add(event, 0);
    plain.event(event);
  }
  plain.close();
  const lines = summaryLines(totals, styleOf());
  const row = lines.find((line) => line.includes('Outputs')) ?? '';
  return [row.replace(/ {2}->.*/, ''), /outputs=.*(?= out=)/.exec(stream.text())?.[0] ?? ''].map((text) =>
    text.trim().replace(/ +/g, ' '),
  );
}

function assertAsOnDisk(events: readonly Event[]): void {
  const sizes = shop.outputs().map((name) => statSync(shop.at(`out/${name}`)).size);
  expect(finishedOf(events).bytesOut).toBe(sizes.reduce((sum, size) => sum + size, 0));
  const [told = ''] = toldOf(events);
  expect(told).toContain(`Outputs ${sizes.length} file`);
}
