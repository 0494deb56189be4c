import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Repaired } from '../../src/model/mended.ts';
import { backupText, repairedText } from '../../src/report/doctor.ts';
import { createPrint, type Print } from '../../src/report/open.ts';
import { width } from '../../src/report/text.ts';

const REPAIRED = {
  state: 'repaired',
  index: '/home/anna/state/index.db',
  movedTo: '/home/anna/state/index.db.broken-20261121T101112Z',
  problems: ['Tree 9 page 9: unreadable', 'b', 'c', 'd'],
  saved: { sources: 1_200, outputs: 1, batches: 2, jobs: 0 },
  incomplete: [],
} as const;

/** From this width on the output is no terminal. */
const WIDE = 100;

async function printed(json: boolean, columns: number, repair: Repaired): Promise<string> {
  return page(json, columns, { v: 1, repair }, (style) => repairedText(repair, style));
}

async function page(json: boolean, columns: number, ...shown: Parameters<Print>): Promise<string> {
  const stream = new PassThrough();
  const style = { tty: columns < WIDE, color: false, unicode: true, columns: () => columns };
  await createPrint(stream, style, json)(...shown);
  return String(stream.read());
}

describe('the text of doctor --repair and --backup', () => {
  it('says what was saved and where the damaged index is now', async () => {
    const text = await printed(false, WIDE, REPAIRED);
    expect(text).toContain('saved    1,200 sources, 1 output, 2 batches, 0 jobs');
    expect(text).toContain(`old one  ${REPAIRED.movedTo}`);
    expect(text).toContain('Tree 9 page 9: unreadable; b; c\n');
    expect(text).toContain('lost     nothing that is known\n');
    expect(text).not.toMatch(/adopted|Warning/);
  });

  it('says what may be lost, and warns of outputs that the next run takes for sources', async () => {
    const said = async (over: Partial<Repaired>) => {
      const text = await printed(false, WIDE, { ...REPAIRED, ...over });
      return text.replace(/\s+/g, ' ');
    };
    const some = await said({ incomplete: ['outputs', 'jobs'] });
    expect(some).toContain('lost some of the outputs, jobs: how many cannot be known');
    expect(some).toContain('adopted where they lie apart from the sources');
    expect(some).toMatch(/Warning: where outputs lie among the sources, .* taken for pictures/);
    expect(await said({ incomplete: ['sources'] })).not.toContain('Warning');
    expect(await said({ incomplete: ['jobs'] })).not.toContain('adopted');
  });

  it('begins with the fact that nothing could be saved', async () => {
    const saved = { sources: 0, outputs: 0, batches: 0, jobs: 0 };
    const incomplete = ['sources', 'outputs', 'batches', 'jobs'] as const;
    const text = await printed(false, WIDE, { ...REPAIRED, saved, incomplete });
    expect(text).toMatch(
      /^ Nothing could be saved of the damaged index: the new one in its place is empty\.\n/,
    );
    expect(text).toContain('lost     all it held');
    expect(text).toContain('Warning: ');
  });

  it('fits every width and keeps control characters off the screen', async () => {
    for (let columns = 20; columns < WIDE; columns += 5) {
      const text = await printed(false, columns, {
        ...REPAIRED,
        index: '/a/\u001b[31mred',
        incomplete: ['outputs'],
      });
      expect(text).not.toContain('\u001b');
      const longest = Math.max(...text.split('\n').map(width));
      expect(longest).toBeLessThanOrEqual(columns);
    }
  });

  it('says that an intact or absent index needs no repair', async () => {
    for (const state of ['healthy', 'absent'] as const) {
      const text = await printed(false, WIDE, { ...REPAIRED, state, movedTo: null });
      expect(text).toContain('nothing needs repair');
    }
  });

  it('is one JSON document with --json', async () => {
    expect(JSON.parse(await printed(true, WIDE, REPAIRED))).toEqual({
      v: 1,
      repair: REPAIRED,
    });
    const backup = { index: '/i.db', file: '/c.db', bytes: 81_920, sources: 7, outputs: 21, batches: 1 };
    const inJson = await page(true, WIDE, { v: 1, backup }, () => '');
    expect(JSON.parse(inJson)).toEqual({ v: 1, backup });
    const kept = { images: 5, waiting: 2, outputs: 9 };
    const store = { store: '/i.serve.db', file: '/c.serve.db', bytes: 40_960, ...kept };
    const text = await page(false, WIDE, {}, (style) => backupText({ backup, store }, style));
    expect(text).toContain('81.9 kB, 7 sources, 21 outputs, 1 batch\n');
    expect(text).toContain('41.0 kB, 5 images (2 not ended), 9 outputs\n');
    const alone = await page(false, WIDE, {}, (style) => backupText({ backup, store: null }, style));
    expect(alone).toContain('There are no records of uploads beside this index.\n');
  });
});
