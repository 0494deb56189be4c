import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { countsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { hashOf, inodeOf, picture, printOf, putOld } from './pictures.ts';
import { HARMS, rot, verify as verifyIn, wordsOf as wordsIn } from './verifying.ts';

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

describe('imgtool verify --fix', () => {
  it('renders all wrong outputs again, and the next run finds nothing to do', async () => {
    await place.process();
    const before = Object.fromEntries(place.files('out').map((name) => [name, hashOf(out(name))]));
    rot(out('a_a.webp'));
    rmSync(out('a_b.webp'));
    truncateSync(out('b_a.webp'), 60);
    await HARMS.exif.do(out('b_b.webp'));
    await HARMS.edited.do(out('c_b.webp'));
    const fixed = await verify('out', '--fix');
    expect(Object.keys(wordsOf(fixed.document))).toEqual([
      'a_a.webp',
      'a_b.webp',
      'b_a.webp',
      'b_b.webp',
      'c_b.webp',
    ]);
    expect(fixed.document.problems.every((one) => one.fixed)).toBe(true);
    expect([fixed.document.fixed, fixed.code, fixed.stderr]).toEqual([5, 0, '']);
    expect(Object.fromEntries(place.files('out').map((name) => [name, hashOf(out(name))]))).toEqual(before);
    const again = await place.process();
    expect(countsOf(again)).toEqual({ unchanged: 3 });
    expect((await verify('--fix')).document).toMatchObject({ verified: 6, problems: [], fixed: 0 });
    await assertInvariants(place, { sources, outcome: again });
  });

  it('is refused where a setting asks for a dry run', async () => {
    await place.process();
    rmSync(out('a_b.webp'));
    const env = { IMGTOOL_DRY_RUN: 'true' };
    const { code, stderr } = await place.run(['verify', 'out', '--fix'], { env });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: a repair has no dry run\nfix: /)]);
    expect(place.files('out')).not.toContain('a_b.webp');
    expect((await place.run(['verify', 'out'], { env })).code).toBe(1);
  });

  it('renders no correct output again', async () => {
    await place.process();
    rmSync(out('a_b.webp'));
    const prints = () => place.files('out').map((name) => printOf(out(name)));
    const before = prints();
    expect((await verify('--fix')).code).toBe(0);
    expect(prints()).toEqual(expect.arrayContaining(before));
    const batches = JSON.parse((await place.run(['list', '--json'])).stdout) as {
      batches: { inputs: string[] }[];
    };
    // The folder that contained its source.
    expect(batches.batches[0]?.inputs).toEqual([place.at('photos')]);
    expect((await verify('--fix')).code).toBe(0);
    expect(JSON.parse((await place.run(['list', '--json'])).stdout)).toEqual(batches);
  });

  it('renders an altered output of two duplicates once and repairs both', async () => {
    putOld(place.at('photos/a2.jpg'), await picture({ seed: 1 }));
    sources = sourcesOf(place, 'photos');
    await place.process();
    const good = hashOf(out('a_a.webp'));
    expect(inodeOf(out('a2_a.webp'))).toBe(inodeOf(out('a_a.webp')));
    rot(out('a_a.webp'));
    const { document, code } = await verify('--fix');
    expect([document.fixed, code]).toEqual([2, 0]);
    expect([hashOf(out('a_a.webp')), hashOf(out('a2_a.webp'))]).toEqual([good, good]);
    expect(inodeOf(out('a2_a.webp'))).toBe(inodeOf(out('a_a.webp')));
    const again = await place.process();
    expect(countsOf(again)).toEqual({ unchanged: 4 });
    await assertInvariants(place, { sources, outcome: again });
  });

  it.each([
    ['removed', (path: string) => rmSync(path)],
    [
      'replaced',
      (path: string) => {
        rmSync(path);
        writeFileSync(path, 'mine');
      },
    ],
  ])('links one of two duplicates that was %s from the intact one again', async (_, harm) => {
    putOld(place.at('photos/a2.jpg'), await picture({ seed: 1 }));
    sources = sourcesOf(place, 'photos');
    await place.process();
    const before = printOf(out('a2_a.webp'));
    harm(out('a_a.webp'));
    expect(await verify('--fix')).toMatchObject({ code: 0, document: { fixed: 1 } });
    expect([printOf(out('a2_a.webp')), printOf(out('a_a.webp'))]).toEqual([before, before]);
    await assertInvariants(place, { sources });
  });

  it('renders outputs of several batches, each with the settings of its batch', async () => {
    putOld(place.at('photos/deep/a.jpg'), await picture({ seed: 7 }));
    sources = sourcesOf(place, 'photos');
    await place.process();
    await place.process('--variant', 'flat:w=30', '--name', '{name}.{ext}', '--out', 'flat');
    expect(place.files('flat')).toHaveLength(4);
    const flat = place.files('flat').find((name) => name.includes('~')) ?? '';
    rmSync(place.at('flat', flat));
    rmSync(out('deep/a_a.webp'));
    mkdirSync(place.at('other'));
    const { stdout, code } = await place.run(['verify', '--fix', '--json'], { cwd: place.at('other') });
    expect([JSON.parse(stdout), code]).toMatchObject([{ verified: 12, fixed: 2 }, 0]);
    expect([place.files('flat'), place.files('out'), place.files('other')]).toMatchObject([
      { length: 4 },
      { length: 8 },
      [],
    ]);
    expect(countsOf(await place.process())).toEqual({ unchanged: 4 });
    await assertInvariants(place, { sources, outs: ['out', 'flat'] });
  });

  it('reports an output whose source is gone, and renders it once the source is back', async () => {
    await place.process();
    renameSync(place.at('photos/a.jpg'), place.at('a.jpg'));
    rot(out('a_a.webp'));
    rmSync(out('b_a.webp'));
    const { document, code } = await verify('--fix');
    expect([document.fixed, code]).toEqual([1, 1]);
    expect(document.problems[0]).toMatchObject({ fixed: false, error: { code: 'source_missing' } });
    const text = await place.run(['verify', '--fix']);
    expect(text.stdout).toContain(
      '  not made again: its source is not there (any more)\n  fix: bring it back',
    );
    expect([text.code, text.stdout]).toEqual([
      1,
      expect.stringContaining('1 not in order, 0 of them made again\n'),
    ]);
    renameSync(place.at('a.jpg'), place.at('photos/a.jpg'));
    expect(await verify('--fix')).toMatchObject({ code: 0, document: { fixed: 1 } });
    await assertInvariants(place, { sources });
  });

  it('overwrites nothing that imgtool did not make: a folder or link at the path of an output stays', async () => {
    await place.process();
    place.put('mine.txt', 'mine');
    rmSync(out('a_a.webp'));
    symlinkSync(place.at('mine.txt'), out('a_a.webp'));
    rmSync(out('b_a.webp'));
    mkdirSync(out('b_a.webp'));
    place.put('out/b_a.webp/mine.txt', 'mine too');
    const { document, code } = await verify('--fix');
    expect([document.fixed, code]).toEqual([0, 1]);
    expect(document.problems).toMatchObject([
      { message: 'a link is in its place', fixed: false, error: { code: 'output_exists' } },
      { message: 'a folder is in its place', fixed: false, error: { code: 'output_exists' } },
    ]);
    const { stdout, stderr } = await place.run(['verify', '--fix']);
    expect([stdout.match(/not made again: what is in its place/g)?.length, stderr]).toEqual([2, '']);
    expect(readFileSync(out('a_a.webp'), 'utf8')).toBe('mine');
    expect(readFileSync(out('b_a.webp/mine.txt'), 'utf8')).toBe('mine too');
    expect(sourcesOf(place, 'photos')).toEqual(sources);
  });

  it('without a path leaves what may be an edit, and names the command that makes it again', async () => {
    await place.process();
    await place.process('--out', 'other one', '--duplicates', 'copy');
    const edited = place.at('other one', 'a_a.webp');
    await HARMS.edited.do(edited);
    rmSync(place.at('other one', 'a_b.webp'));
    rmSync(out('b_a.webp'));
    const mine = hashOf(edited);
    const advice = `Name the folder to make it again: imgtool verify '${place.at('other one')}' --fix\n`;
    const plain = await place.run(['verify']);
    expect([plain.code, plain.stdout]).toEqual([
      1,
      expect.stringContaining(`Make 2 of them again: imgtool verify --fix\n1 output is perhaps edited`),
    ]);
    expect(plain.stdout).toContain(advice);
    const { document, code } = await verify('--fix');
    expect([document.fixed, code, hashOf(edited)]).toEqual([2, 1, mine]);
    const left = document.problems.filter(({ fixed }) => fixed === false);
    const fix = `move the edit away, then: imgtool verify '${edited}' --fix`;
    expect(left.map(({ error }) => error)).toEqual([
      { code: 'output_exists', message: 'another program wrote it, so it may be an edit', fix },
    ]);
    expect(await verify('other one', '--fix')).toMatchObject({ code: 0, document: { fixed: 1 } });
    expect(hashOf(edited)).not.toBe(mine);
    await assertInvariants(place, { sources, outs: ['out', 'other one'] });
  });

  it('is suggested for the same paths and the same index', async () => {
    const index = ['--index', 'my index.db'];
    await place.process(...index, '--out', 'my out');
    rmSync(place.at('my out', 'a_a.webp'));
    const command = "imgtool verify photos 'my out' --fix --index";
    const { stdout, code } = await place.run(['verify', 'photos', 'my out', ...index]);
    const again = `Make them again: ${command} '${place.at('my index.db')}'\n`;
    expect([code, stdout]).toEqual([1, expect.stringContaining(again)]);
    const fixed = await place.run(['verify', 'photos', 'my out', '--fix', ...index]);
    expect([fixed.code, fixed.stdout]).toEqual([0, expect.stringContaining('1 of them made again')]);
  });

  it('continues after a kill', async () => {
    await place.process();
    for (const name of ['a_a.webp', 'b_a.webp']) rmSync(out(name));
    const gate = makeGate(place, { free: 0 });
    const session = place.start(['verify', '--fix'], gate);
    const [, id = ''] = /batch ([0-9a-f]+)/.exec(await session.line(/^imgtool: batch/, 'stderr')) ?? [];
    await gate.held(session);
    session.signal('SIGKILL', 'group');
    expect((await session.ended).signal).toBe('SIGKILL');
    const resumed = await place.run(['resume', id, '--json']);
    expect([resumed.code, resumed.stderr]).toEqual([0, '']);
    expect(await verify()).toMatchObject({ code: 0, document: { verified: 6, problems: [] } });
    expect(countsOf(await place.process())).toEqual({ unchanged: 3 });
    await assertInvariants(place, { sources });
  });

  it('writes its progress to standard error, and the outcome to standard output', async () => {
    await place.process();
    rmSync(out('a_a.webp'));
    const { stdout, stderr, code } = await place.run(['verify', '--fix']);
    expect(code).toBe(0);
    const [, id = ''] = /^imgtool: batch ([0-9a-f]+): 1 images?,/.exec(stderr) ?? [];
    expect(stdout).toBe(
      `${out('a_a.webp')}: missing: is not there\n  made again\n6 outputs verified, 1 not in order, 1 of them made again in batch ${id}\n`,
    );
  });
});
