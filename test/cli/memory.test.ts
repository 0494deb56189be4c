import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, finishedOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture } from './pictures.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a memory budget', () => {
  it('that the user set refuses a larger picture, reports both figures, and lets the others through', async () => {
    for (const seed of [1, 2]) place.put(`photos/large-${seed}.png`, await interlaced(3_000, seed));
    for (const seed of [3, 4, 5]) place.put(`photos/small-${seed}.jpg`, await picture({ seed }));
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.process('--jobs', '4', '--memory', '16M');
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { completed: 3, failed: 2 }]);
    const { error } = jobOf(outcome, 'photos/large-1.png');
    expect(error).toMatchObject({
      code: 'too_large',
      message: expect.stringMatching(
        /^may take \d+ MB of memory, more than the 16 MB that one picture may take$/,
      ),
    });
    const [, needed = ''] = /--memory (\d+M)/.exec(error?.fix ?? '') ?? [];
    expect(outcome.stderr).toContain(`error: photos/large-1.png: ${error?.message}`);
    await assertInvariants(place, { sources, outcome });
    // The fix names enough memory, also for the rest of the batch. Without the fix nothing changes.
    const { batch } = finishedOf(outcome);
    const same = await place.run(['retry', batch, '--json']);
    expect([same.code, countsOf(same)], same.stderr).toEqual([1, { completed: 3, failed: 2 }]);
    const more = await place.run(['retry', batch, '--json', '--memory', needed]);
    expect([more.code, countsOf(more)], more.stderr).toEqual([0, { completed: 5 }]);
  });

  it('applies to a dry run too', async () => {
    place.put('photos/large.png', await interlaced(3_000, 1));
    const outcome = await place.process('--dry-run', '--memory', '16M');
    expect([outcome.code, jobOf(outcome, 'photos/large.png').error?.code]).toEqual([1, 'too_large']);
  });

  it('that is too small for a small picture is refused before any work', async () => {
    const { code, stderr } = await place.process('--memory', '1M');
    expect(code).toBe(2);
    expect(stderr).toContain('--memory: expected a size from 16M, such as 512M or 1.5GiB, or auto, got "1M"');
  });
});

describe('`imgtool doctor` reports the memory budget of pictures', () => {
  const memoryLines = async (env: Readonly<Record<string, string>>) => {
    const { stdout } = await place.run(['doctor'], { env });
    return stdout.slice(stdout.search(/^.*\bmemory\b/m)).split('\n');
  };
  it('as half of the free memory', async () => {
    const [line = ''] = await memoryLines({});
    const [, free = '', total = '', most = ''] =
      /([\d,]+) MB free of ([\d,]+) MB; pictures in work may take ([\d,]+) MB$/.exec(line) ?? [];
    const [here, all, ours] = [free, total, most].map((digits) => Number(digits.replaceAll(',', '')));
    expect(here).toBeLessThanOrEqual(all ?? 0);
    // Other programs allocate and free memory between the two readings.
    expect(Math.abs((ours ?? 0) - (here ?? 0) / 2)).toBeLessThan(Math.max(64, (here ?? 0) / 4));
  });

  it('as the configured amount', async () => {
    const [line = ''] = await memoryLines({ IMGTOOL_MEMORY: '64M' });
    expect(line).toMatch(/; pictures in work may take 64 MB$/);
  });

  it('with a warning if it exceeds the free memory', async () => {
    const [line = '', fix] = await memoryLines({ IMGTOOL_MEMORY: '900T' });
    expect(line).toMatch(/^ warning\b.*may take 900,000,000 MB$/);
    expect(fix).toMatch(/fix: give less with --memory/);
  });
});

/** A square picture that cannot be decoded line by line: its decoder needs three bytes a pixel for all of it. */
async function interlaced(side: number, seed: number): Promise<Buffer> {
  const whole = await picture({ width: side, height: side, seed });
  return sharp(whole).png({ progressive: true }).toBuffer();
}
