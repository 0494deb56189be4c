import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, finishedOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { commented, hashOf, noise, picture, putOld } from './pictures.ts';
import { rot, verify as verifyIn, wordsOf as wordsIn } from './verifying.ts';

let place: Place;
let sources: Sources;
beforeEach(async () => {
  place = openPlace();
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
  }
  sources = sourcesOf(place, 'photos');
});

const verify = (...args: string[]) => verifyIn(place, ...args);
const wordsOf = (document: Parameters<typeof wordsIn>[1]) => wordsIn(place, document);
const out = (name: string) => place.at('out', name);

/** Removes a picture and its outputs. */
function removeA(): void {
  for (const path of [place.at('photos/a.jpg'), out('a_a.webp'), out('a_b.webp')]) rmSync(path);
}

describe('outputs that were removed together with their sources', () => {
  it('are no problem, take one line, and are forgotten by --fix for good', async () => {
    await place.process();
    removeA();
    const found = await place.run(['verify']);
    expect([found.stdout, found.code]).toEqual([
      '4 outputs verified, all in order\n2 outputs are gone together with their sources: imgtool verify --fix forgets them\n',
      0,
    ]);
    expect(await verify()).toMatchObject({
      code: 0,
      document: { verified: 4, wrong: 0, gone: 2, problems: [] },
    });
    const fixed = await verify('--fix');
    expect([fixed.code, fixed.document]).toMatchObject([0, { gone: 2, forgotten: 2, fixed: 0, batches: [] }]);
    expect(await verify()).toMatchObject({ code: 0, document: { verified: 4, gone: 0 } });
    const again = await place.process();
    expect(countsOf(again)).toEqual({ unchanged: 2 });
    expect(place.files('out')).toHaveLength(4);
  });

  it('do not hide a missing output whose source exists', async () => {
    await place.process();
    removeA();
    rmSync(out('b_a.webp'));
    const { document, code } = await verify();
    expect([wordsOf(document), document.gone, code]).toEqual([{ 'b_a.webp': ['missing'] }, 2, 1]);
    expect(await verify('--fix')).toMatchObject({ code: 0, document: { fixed: 1, forgotten: 2 } });
  });

  it('are forgotten by --fix without the record of their source if another output of it is there', async () => {
    await place.process();
    for (const path of [place.at('photos/a.jpg'), out('a_a.webp')]) rmSync(path);
    expect(await verify('--fix')).toMatchObject({ document: { gone: 1, forgotten: 1 } });
    const forgotten = await place.run(['forget', 'photos/a.jpg', '--json', '--dry-run']);
    expect(JSON.parse(forgotten.stdout)).toMatchObject({ kept: [out('a_b.webp')] });
  });

  it('are rendered as new when their source comes back', async () => {
    await place.process();
    renameSync(place.at('photos/a.jpg'), place.at('a.jpg'));
    for (const name of ['a_a.webp', 'a_b.webp']) rmSync(out(name));
    expect((await verify('--fix')).document.forgotten).toBe(2);
    renameSync(place.at('a.jpg'), place.at('photos/a.jpg'));
    const outcome = await place.process();
    expect(countsOf(outcome)).toEqual({ completed: 1, unchanged: 2 });
    await assertInvariants(place, { sources, outcome });
  });

  it('stay problems while the source’s folder is empty, as an unmounted mount point is', async () => {
    await place.process();
    renameSync(place.at('photos'), place.at('unmounted'));
    mkdirSync(place.at('photos'));
    rmSync(place.at('out'), { recursive: true });
    const found = await place.run(['verify']);
    expect([found.code, found.stdout]).toEqual([
      1,
      expect.stringMatching(/\n6 .*, 6 not in order\nBring .*: imgtool forget .*\/photos\n$/),
    ]);
    const fixed = await verify('--fix');
    expect([fixed.code, fixed.document]).toMatchObject([1, { gone: 0, forgotten: 0, fixed: 0 }]);
    rmSync(place.at('photos'), { recursive: true });
    renameSync(place.at('unmounted'), place.at('photos'));
    expect((await verify()).document).toMatchObject({ verified: 6, wrong: 6 });
  });

  it('stay recorded if a skipped duplicate depends on them', async () => {
    putOld(place.at('photos/z.jpg'), await picture({ seed: 1 }));
    await place.process('--duplicates', 'skip');
    removeA();
    const { document, code } = await verify();
    expect([Object.keys(wordsOf(document)), document.gone, code]).toEqual([['a_a.webp', 'a_b.webp'], 0, 1]);
    const fix = `run imgtool process over its duplicate ${place.at('photos/z.jpg')}`;
    expect((await verify('--fix')).document.problems[0]?.error).toMatchObject({ fix });
    expect(countsOf(await place.process('--duplicates', 'skip'))).toEqual({ completed: 1, unchanged: 2 });
    expect(await verify('--fix')).toMatchObject({
      code: 0,
      document: { verified: 6, gone: 2, forgotten: 2 },
    });
  });
});

it('verify names --fix only for outputs that it can make again, and says what helps the others', async () => {
  await place.process();
  rot(out('a_a.webp'));
  rmSync(place.at('photos/a.jpg'));
  const found = await place.run(['verify']);
  const orphan =
    '1 output has no source any more and cannot be made again: bring its source back, or remove it.\n';
  expect([found.code, found.stdout.endsWith(`6 outputs verified, 1 not in order\n${orphan}`)]).toEqual([
    1,
    true,
  ]);
  rmSync(out('b_a.webp'));
  const more = await place.run(['verify']);
  const again = `6 outputs verified, 2 not in order\nMake 1 of them again: imgtool verify --fix\n${orphan}`;
  expect([more.code, more.stdout.endsWith(again)], more.stdout).toEqual([1, true]);
  expect(await verify('--fix')).toMatchObject({ code: 1, document: { fixed: 1 } });
  rmSync(out('a_a.webp'));
  expect(await verify('--fix')).toMatchObject({ code: 0, document: { gone: 1, forgotten: 1 } });
});

describe('a missing output folder', () => {
  it('is created again only for a named batch', async () => {
    const outcome = await place.process();
    const { batch } = finishedOf(outcome);
    const hashes = place.files('out').map((name) => hashOf(out(name)));
    rmSync(place.at('out'), { recursive: true });
    const refused = await verify('--fix');
    expect([refused.code, refused.document.fixed, refused.document.batches]).toEqual([1, 0, []]);
    expect(refused.document.problems[0]?.error).toMatchObject({
      message: `${place.at('out')} is not there: its disk may not be mounted`,
      fix: expect.stringContaining(`imgtool verify ${batch} --fix`),
    });
    mkdirSync(place.at('out'));
    expect((await verify('--fix')).document.problems[0]?.error?.message).toContain('out is empty: ');
    expect(place.files('out')).toEqual([]);
    const fixed = await verify(batch, '--fix');
    expect([fixed.code, fixed.document.fixed]).toEqual([0, 6]);
    expect(place.files('out').map((name) => hashOf(out(name)))).toEqual(hashes);
    await assertInvariants(place, { sources });
  });
});

it('verify --fix renders all possible outputs again, even if a source named like a pattern is gone', async () => {
  putOld(place.at('photos/a[1].jpg'), await picture({ seed: 8 }));
  await place.process();
  renameSync(place.at('photos/a[1].jpg'), place.at('away.jpg'));
  rot(out('a[1]_a.webp'));
  rmSync(out('b_a.webp'));
  const { document, code } = await verify('--fix');
  expect(document.problems.map(({ path, fixed }) => [path.slice(out('').length + 1), fixed])).toEqual([
    ['a[1]_a.webp', false],
    ['b_a.webp', true],
  ]);
  expect([document.fixed, code]).toEqual([1, 1]);
});

it('verify --fix reports the repaired outputs when a signal stops the repair', async () => {
  putOld(place.at('photos/large.jpg'), commented(await noise(1500, 1500), 'slow'));
  const args = ['--variant', 'p:w=1500,format=png,effort=10'];
  await place.process(...args);
  rmSync(out('a_p.png'));
  rmSync(out('large_p.png'));
  const session = place.start(['verify', '--fix', '--jobs', '1', '--verbose']);
  await session.line(/^imgtool: completed .*a\.jpg/, 'stderr');
  session.signal('SIGTERM');
  const { stdout } = await session.ended;
  expect(stdout).toContain(`${out('a_p.png')}: missing: is not there\n  made again\n`);
});
