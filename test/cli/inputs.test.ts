import { beforeEach, describe, expect, it } from 'vitest';
import { bmpOf, icoOf } from '../image/bmp/bmp-writer.ts';
import { coded, fixture, grid, heicOf, ispe } from '../image/heic/heic-writer.ts';
import { canSeeProcesses, memoryOf } from './group.ts';
import { countsOf, jobOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { picture } from './pictures.ts';

const INSTALL = 'npm install --include=optional libheif-js';
const WITHOUT_HEIC = { NODE_OPTIONS: `--import=${new URL('./without-heic.js', import.meta.url).href}` };

/** Bytes that all processes together may use: two children with libheif take 300 MB. */
const MOST_MEMORY = 500_000_000;

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('BMP, ICO, CUR and HEIC', () => {
  it('are rendered like any other picture, and unchanged in the next run', async () => {
    const icon = { kind: { bits: 32, alpha: true }, isMasked: () => false } as const;
    place.put('photos/a.bmp', bmpOf({ bits: 24 }).bytes);
    place.put('photos/b.ico', icoOf([icon]).bytes);
    place.put('photos/c.cur', icoOf([icon], 2).bytes);
    place.put('photos/d.heic', fixture('alpha.heic'));
    const first = await place.process('--all-files');
    expect([first.code, countsOf(first)]).toEqual([0, { completed: 4 }]);
    const second = await place.process('--all-files');
    expect([second.code, countsOf(second)]).toEqual([0, { unchanged: 4 }]);
  });
});

describe('a HEIC without the package that decodes it', () => {
  it('fails with the command that installs the package, and the other pictures are completed', async () => {
    place.put('photos/a.heic', fixture('plain.heic'));
    place.put('photos/b.jpg', await picture());
    const outcome = await place.run(['process', 'photos', '--json'], { env: WITHOUT_HEIC });
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { completed: 1, failed: 1 }]);
    expect(jobOf(outcome, 'photos/a.heic').error).toMatchObject({
      code: 'unsupported_format',
      message: expect.stringContaining('libheif-js, which is not installed'),
      fix: INSTALL,
    });
    expect(outcome.stderr).toContain(`fix: ${INSTALL}`);
  });

  it('is named by doctor', async () => {
    const { stdout } = await place.run(['doctor'], { env: WITHOUT_HEIC });
    expect(stdout).toContain('libheif-js is not installed');
    expect(stdout).toContain(`fix: ${INSTALL}`);
    expect((await place.run(['doctor'])).stdout).toMatch(/reads .*\bheic\b/);
  });
});

describe('a hostile file of these formats', () => {
  it('fails with a code and within little memory, while the other pictures are completed', async () => {
    const rows = bmpOf({ bits: 24 }).bytes;
    rows.writeInt32LE(-(2 ** 31), 22);
    const looped = icoOf([{ kind: { bits: 8 }, isMasked: () => false }]).bytes;
    looped.writeUInt32LE(0, 18);
    const tile = coded('plain.heic');
    const itself = heicOf([grid(1, 1, 64, 64), tile], 1, [{ type: 'dimg', from: 1, to: [1] }]);
    const vast = heicOf([grid(1, 1, 20_000, 20_000), tile], 1, [{ type: 'dimg', from: 1, to: [2] }]);
    const boxes = Buffer.from(fixture('plain.heic'));
    boxes.writeUInt32BE(0xfffffff0, boxes.indexOf('iprp') - 4);
    // A part of the decoder's settings that claims 2 GiB.
    const claim = Buffer.from(fixture('plain.heic'));
    claim.writeUInt32BE(0x7fffffff, 252);
    const cases = [
      ['a.bmp', rows, 'too_large'],
      ['b.ico', looped, 'corrupt'],
      ['c.heic', itself, 'corrupt'],
      ['d.heic', vast, 'too_large'],
      ['e.heic', boxes, 'corrupt'],
      [
        'g.heic',
        heicOf([grid(256, 256, 9000, 9000), tile], 1, [{ type: 'dimg', from: 1, to: [2] }]),
        'corrupt',
      ],
      ['h.heic', heicOf([{ ...tile, properties: [tile.properties[0]!, ispe(8, 8)] }]), 'corrupt'],
      ['i.heic', claim, 'corrupt'],
      ['f.heic', fixture('plain.heic').subarray(0, 600), 'corrupt'],
    ] as const;
    for (const [name, bytes] of cases) place.put(`photos/${name}`, bytes);
    place.put('photos/good.jpg', await picture());
    const session = place.start(['process', ...SMALL, '--json', '--out', 'out', 'photos']);
    const measured = canSeeProcesses ? await memoryOf(session.pid, session.ended) : undefined;
    const outcome = await session.ended;
    expect(countsOf(outcome)).toEqual({ completed: 1, failed: cases.length });
    if (measured !== undefined) expect(measured.sampled).toBeLessThan(MOST_MEMORY);
    const codes = cases.map(([name]) => [name, jobOf(outcome, `photos/${name}`).error?.code]);
    expect(codes).toEqual(cases.map(([name, , code]) => [name, code]));
  });
});
