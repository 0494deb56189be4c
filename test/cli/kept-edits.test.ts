import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, jobOf, type Outcome, openPlace, type Place } from './imgtool.ts';
import { forbid, isForOthers, runAsNobody } from './nobody.ts';
import { difference, hashOf, inodeOf, picture, putOld } from './pictures.ts';
import { ALONE, startWatch, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

const put = async (name: string, seed: number, format: 'jpeg' | 'png' = 'jpeg') =>
  putOld(place.at('photos', name), await picture({ seed, format }));
const out = (name: string) => place.at('out', name);
const keep = (...more: string[]) => place.process('--keep-edited', ...more);
const warningsIn = (outcome: Pick<Outcome, 'stdout'>) =>
  eventsOf(outcome).flatMap((event) => (event.type === 'warning' ? [event.message] : []));

async function expectToShow(output: string, source: string): Promise<void> {
  expect(await difference(out(output), place.at('photos', source))).toBeLessThan(20);
}

describe('an output that imgtool made and that its index does not know, with --keep-edited', () => {
  it.each([
    ['the source changed', [] as string[], ['--variant', 'a:w=40']],
    ['the settings changed', ['--variant', 'a:w=40'], ['--variant', 'a:w=30']],
  ])('is no edit: %s after the backup of the index', async (_, former, later) => {
    const variants = former.length > 0 ? former : later;
    await put('a.jpg', 1);
    await keep(...variants);
    expect((await place.run(['doctor', '--backup', 'copy.db'])).code).toBe(0);
    if (former.length === 0) await put('a.jpg', 2);
    await keep(...later);
    copyFileSync(place.at('copy.db'), place.index);
    for (const end of ['-wal', '-shm']) rmSync(`${place.index}${end}`, { force: true });
    const again = await keep(...later);
    expect([again.code, warningsIn(again), countsOf(again)]).toEqual([0, [], { completed: 1 }]);
    expect(countsOf(await keep(...later))).toEqual({ unchanged: 1 });
    await put('a.jpg', 3);
    expect(warningsIn(await keep(...later))).toEqual([]);
    await expectToShow('a_a.webp', 'a.jpg');
  });

  it('is an edit if it has other bytes than the new output, and only that stays', async () => {
    await put('a.jpg', 1);
    await keep();
    place.put('out/a_a.webp', 'mine');
    await put('a.jpg', 2);
    const stays = 'out/a_a.webp: was changed since imgtool made it, so it';
    expect(warningsIn(await keep('--dry-run'))).toEqual([`${stays} would stay`]);
    for (const counts of [{ completed: 1 }, { unchanged: 1 }]) {
      const outcome = await keep();
      expect([outcome.code, warningsIn(outcome), countsOf(outcome)]).toEqual([0, [`${stays} stays`], counts]);
      expect(readFileSync(out('a_a.webp'), 'utf8')).toBe('mine');
      await expectToShow('a_b.webp', 'a.jpg');
    }
  });
});

describe('a source that gets the name of an edited output of another one, with --keep-edited', () => {
  it('fails with output_exists and makes nothing, until the edit is moved away', async () => {
    await put('logo.png', 1, 'png');
    await keep();
    place.put('out/logo_a.webp', 'mine');
    const other = hashOf(out('logo_b.webp'));
    rmSync(place.at('photos/logo.png'));
    await put('logo.jpg', 2);
    for (const more of [['--dry-run'], [], []]) {
      const outcome = await keep(...more);
      expect(jobOf(outcome, 'photos/logo.jpg')).toMatchObject({
        state: 'failed',
        error: { code: 'output_exists', message: expect.stringContaining('is an edit of another source') },
      });
      expect(readFileSync(out('logo_a.webp'), 'utf8')).toBe('mine');
      expect(hashOf(out('logo_b.webp'))).toBe(other);
    }
    rmSync(out('logo_a.webp'));
    expect(countsOf(await keep())).toEqual({ completed: 1 });
    await expectToShow('logo_a.webp', 'logo.jpg');
  });

  it('keeps its tagged outputs in a watch with --mirror', async () => {
    await put('a.jpg', 1);
    await put('a.png', 2, 'png');
    await keep();
    const tagged = place.files('out').filter((name) => name.includes('~'));
    place.put('out/a_a.webp', 'mine');
    rmSync(place.at('photos/a.jpg'));
    const session = startWatch(place, ...ALONE, '--mirror', '--keep-edited');
    await session.jobs(1);
    await stop(session);
    expect(readFileSync(out('a_a.webp'), 'utf8')).toBe('mine');
    expect(place.files('out')).toEqual(expect.arrayContaining(tagged));
    expect(tagged).toHaveLength(2);
  });
});

describe('an output that cannot be read', () => {
  it.runIf(isForOthers)('is not replaced, because it may be an edit', async () => {
    await put('a.jpg', 1);
    const args = ['process', '--json', '--out', 'out', '--variant', 'a:w=40', 'photos'];
    expect((await runAsNobody(place, args)).code).toBe(0);
    const was = inodeOf(out('a_a.webp'));
    await put('a.jpg', 2);
    forbid(out('a_a.webp'), 0o000);
    expect(jobOf(await runAsNobody(place, args), 'photos/a.jpg')).toMatchObject({
      state: 'failed',
      error: { code: 'output_unreadable' },
    });
    expect(inodeOf(out('a_a.webp'))).toBe(was);
  });
});

describe('a dry run with --mirror and --keep-edited', () => {
  it('names no output for removal that the real run keeps', async () => {
    await put('a.jpg', 1);
    await keep('--mirror');
    place.put('out/a_a.webp', 'mine');
    for (const more of [['--dry-run'], []]) {
      const outcome = await keep('--mirror', '--variant', 'a:w=30', ...more);
      expect(eventsOf(outcome).filter(({ type }) => type === 'removed')).toEqual([]);
    }
    expect(place.files('out')).toEqual(['a_a.webp', 'a_b.webp']);
  });
});
