import { beforeEach, describe, expect, it } from 'vitest';
import type { ProfileEvent } from '../../src/model.ts';
import { countsOf, eventsOf, type Outcome, openPlace, type Place, SMALL } from './imgtool.ts';
import { noise, picture, putOld } from './pictures.ts';

describe('the profile of a batch', () => {
  let place: Place;
  beforeEach(async () => {
    place = openPlace();
    for (const seed of [1, 2, 3]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
    putOld(place.at('photos/copy.jpg'), await picture({ seed: 1 }));
  });

  it('counts every picture and output once, and never exceeds the elapsed time', async () => {
    const outcome = await place.process('--jobs', '2', '--profile');
    const { ms, jobs, parent, children, pictures } = profileOf(outcome);
    expect(pictures).toMatchObject({ digest: { calls: 4 }, decode: { calls: 3 }, encode: { calls: 6 } });
    expect(children.asked).toMatchObject({ open: { calls: 4 }, render: { calls: 3 } });
    expect(parent.index.of).toMatchObject({ settle: { calls: 4 }, end: { calls: 1 } });
    expect(parent.storage.of).toMatchObject({ stage: { calls: 6 } });
    expect(parent.report.of).toMatchObject({ job: { calls: 4 } });
    expect(jobs).toBe(2);
    const { starting, asked, travel, held, idle } = children;
    const work = (asked.open?.ms ?? 0) + (asked.render?.ms ?? 0);
    const spent = starting + work + travel + held.before + held.after + idle.first + idle.between + idle.last;
    expect(spent).toBeLessThanOrEqual(jobs * ms + 1);
    const known = pictures.digest.ms + pictures.decode.ms + pictures.encode.ms;
    expect(known).toBeLessThanOrEqual(work + 1);
    for (const part of [pictures.decode.ms, pictures.encode.ms, children.cpu, starting, parent.start]) {
      expect(part).toBeGreaterThan(0);
    }
  });

  it('is printed before the summary, and only with --profile', async () => {
    const args = ['process', ...SMALL, '--out', 'out', 'photos'];
    const plain = await place.run(args);
    expect(plain.stderr).not.toContain('profile');
    const verbose = await place.run([...args, '--verbose', '--force']);
    expect(verbose.stderr).toContain('imgtool: completed photos/1.jpg');
    expect(verbose.stderr).not.toContain('profile');
    const { stderr, code } = await place.run([...args, '--verbose', '--profile', '--force']);
    expect(code).toBe(0);
    const lines = stderr.split('\n');
    const at = (start: string) => lines.findIndex((line) => line.startsWith(`imgtool: ${start}`));
    expect(at('profile of ')).toBeGreaterThan(at('completed'));
    expect(at('  decode')).toBeGreaterThan(at('profile of '));
    expect(at('finished 4')).toBeGreaterThan(at('  decode'));
  });

  it('shows that the index is not asked again and again for a copy that waits for an image of its batch', async () => {
    const bytes = await noise(1_600, 1_200);
    for (const name of ['first', 'copy']) putOld(place.at(`slow/${name}.jpg`), bytes);
    const args = ['process', 'slow', '--out', 'out', '--variant', 'a:w=1600,format=avif', '--jobs', '2'];
    const outcome = await place.run([...args, '--json', '--profile']);
    expect(countsOf(outcome)).toEqual({ completed: 1, duplicate: 1 });
    // It is asked ten times, and every 100 ms of the slow encoding would add one.
    expect(profileOf(outcome).parent.index.of.take?.calls).toBeLessThan(15);
  });

  it('shows no opened file and no started child process if all is unchanged', async () => {
    await place.process();
    const { children, pictures, parent } = profileOf(await place.process('--profile'));
    expect(children).toMatchObject({ started: 0, asked: {} });
    expect(pictures.digest.calls).toBe(0);
    expect(parent.sources.of).toMatchObject({ walk: { calls: 1 } });
  });
});

/** The last event but one. */
function profileOf(outcome: Outcome): ProfileEvent {
  const event = eventsOf(outcome).at(-2);
  if (event?.type !== 'profile') throw new Error(`no profile: ${outcome.stdout} ${outcome.stderr}`);
  return event;
}
