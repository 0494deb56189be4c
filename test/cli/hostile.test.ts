import { readdirSync } from 'node:fs';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { shared } from '../image/pictures.ts';
import { canSeeProcesses, memoryOf } from './group.ts';
import { FATES, fatesOf, putCorpus, putHostile, SVG_FATES } from './hostile.ts';
import { countsOf, finishedOf, jobOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';

const hostile = shared('corpus/hostile');
const pngsuite = shared('corpus/pngsuite');
const samples = shared('corpus/exif-samples');

/** Files that can keep a renderer busy for long. */
const SLOW = new Set(['svg-slow-filter.svg', 'svg-use-bomb.svg']);
/** Bytes that all processes together may use. */
const MOST_MEMORY = 500_000_000;

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a folder of hostile files with one good photograph', () => {
  it.skipIf(hostile === null)('ends each file as expected, within little memory', async () => {
    putHostile(place, hostile!);
    const sources = sourcesOf(place, 'photos');
    const session = place.start([
      'process',
      '--json',
      '--all-files',
      '--jobs',
      '2',
      '--out',
      'out',
      'photos',
    ]);
    const measured = canSeeProcesses ? await memoryOf(session.pid, session.ended) : undefined;
    const outcome = await session.ended;
    expect(fatesOf(outcome)).toEqual(FATES);
    expect([outcome.code, finishedOf(outcome).state]).toEqual([1, 'finished']);
    for (const { error } of jobsOf(outcome))
      if (error !== undefined) expect(error.message).not.toMatch(/[\n\x1b]/);
    if (measured !== undefined) {
      console.log(`memory of all: ${measured.sampled / 1e6} MB at once, ${measured.bound / 1e6} MB summed`);
      expect(measured.sampled).toBeGreaterThan(50_000_000);
      expect(measured.sampled).toBeLessThan(MOST_MEMORY);
      expect(measured.bound, 'even with all maxima at the same time').toBeLessThan(MOST_MEMORY);
    }
    await assertInvariants(place, { sources, outcome });
  });

  const SVG = ['--all-files', '--allow-svg', '--variant', 'a:w=80,format=png'];

  it.skipIf(hostile === null)('has its SVGs rendered or refused with --allow-svg', async () => {
    const wanted = [...Object.keys(SVG_FATES).filter((name) => !SLOW.has(name)), 'secret-red.png'];
    putHostile(place, hostile!, (name) => wanted.includes(name));
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.process(...SVG);
    const fates = fatesOf(outcome);
    expect(Object.keys(fates).sort()).toEqual([...wanted, 'good.jpg'].sort());
    for (const [name, fate] of Object.entries(fates))
      expect(SVG_FATES[name] ?? ['completed'], name).toContain(fate);
    const drawn = jobOf(outcome, 'photos/svg-external-image-relative.svg').outputs?.[0]?.path ?? '';
    const { channels } = await sharp(place.at(drawn)).stats();
    expect(
      channels.map(({ max }) => max),
      'nothing of the red picture beside it',
    ).toEqual([0, 0, 0, 0]);
    await assertInvariants(place, { sources, outcome });
  });

  it.skipIf(hostile === null)('has endless SVGs stopped at the deadline', async () => {
    putHostile(place, hostile!, (name) => SLOW.has(name));
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.process(...SVG, '--timeout', '2', '--exclude', '*.jpg');
    const fates = fatesOf(outcome);
    expect(Object.keys(fates).sort()).toEqual([...SLOW].sort());
    for (const name of SLOW) expect(SVG_FATES[name], name).toContain(fates[name]);
    await assertInvariants(place, { sources, outcome });
  });
});

describe('a folder of pictures made for testing decoders', () => {
  it.skipIf(pngsuite === null)('is completed except for the pictures that were made to fail', async () => {
    putCorpus(place, pngsuite!);
    const broken = readdirSync(pngsuite!).filter((name) => /^x.*\.png$/.test(name));
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.process('--variant', 'a:w=40');
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { completed: 155, duplicate: 6, failed: 14 }]);
    const failed = jobsOf(outcome).filter(({ state }) => state === 'failed');
    expect(failed.map(({ source }) => source.slice('photos/'.length)).sort()).toEqual(broken.sort());
    for (const { source, error } of failed) {
      expect(error?.code, `${source}: ${error?.message}`).toMatch(/^(corrupt|not_an_image)$/);
      expect(error?.message).not.toMatch(/[\u0000-\u001f]/);
    }
    await assertInvariants(place, { sources, outcome });
  });

  it.skipIf(samples === null)('from many cameras ends without an unexplained failure', async () => {
    putCorpus(place, samples!);
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.process('--all-files', '--variant', 'a:w=40');
    const failed = jobsOf(outcome).filter(({ state }) => state === 'failed');
    expect(jobsOf(outcome)).toHaveLength(sources.size);
    for (const { source, error } of failed)
      expect(error?.code, `${source}: ${error?.message}`).toMatch(
        /^(corrupt|not_an_image|unsupported_format)$/,
      );
    expect(outcome.stderr).not.toMatch(/\n\s+at |internal|crashed/);
    expect(failed.length).toBeLessThan(sources.size / 3);
    await assertInvariants(place, { sources, outcome });
  });
});
