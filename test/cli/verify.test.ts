import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, finishedOf, has, type Outcome, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { noise, picture, putOld } from './pictures.ts';
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
const idOf = (outcome: Outcome) => finishedOf(outcome).batch;

describe('imgtool verify', () => {
  it('reports that all outputs are in order, even if there are none', async () => {
    const none = await place.run(['verify']);
    expect([none.stdout, none.stderr, none.code]).toEqual(['No outputs to verify.\n', '', 0]);
    await place.process();
    const all = await place.run(['verify']);
    expect([all.stdout, all.stderr, all.code]).toEqual(['6 outputs verified, all in order\n', '', 0]);
    const { document, code } = await verify();
    expect([document, code]).toEqual([
      { v: 1, batch: null, verified: 6, wrong: 0, gone: 0, problems: [] },
      0,
    ]);
    await assertInvariants(place, { sources });
  });

  it('finds each output that was altered, and changes nothing', async () => {
    const names = Object.keys(HARMS) as (keyof typeof HARMS)[];
    for (const [i, name] of names.entries()) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 10 }));
    }
    await place.process();
    for (const name of names) await HARMS[name].do(out(`${name}_a.webp`));
    const before = place.files('out');
    const { document, code } = await verify();
    expect(wordsOf(document)).toEqual(
      Object.fromEntries(names.map((name) => [`${name}_a.webp`, HARMS[name].words])),
    );
    expect([document.verified, code]).toEqual([28, 1]);
    const inPlace = document.problems.filter(({ problem }) => problem === 'foreign');
    expect(inPlace.map(({ message }) => message)).toEqual(
      ['folder', 'link', 'pipe'].map((kind) => `a ${kind} is in its place`),
    );
    expect(document.problems.find(({ problem }) => problem === 'missing')).toEqual({
      path: out('removed_a.webp'),
      source: place.at('photos/removed.jpg'),
      variant: 'a',
      problem: 'missing',
      message: 'is not there',
    });
    expect(place.files('out')).toEqual(before);
    expect(countsOf(await place.process('--dry-run'))).toMatchObject({ unchanged: 3 });
  });

  it.skipIf(!has('strace'))('opens each output once (strace)', async () => {
    await place.process();
    const trace = place.at('trace');
    const before = ['strace', '-f', '-qq', '-e', 'trace=open,openat', '-o', trace];
    const { code, stdout } = await place.run(['verify'], { before });
    expect([code, stdout]).toEqual([0, '6 outputs verified, all in order\n']);
    const opened = [...readFileSync(trace, 'utf8').matchAll(/\/out\/(\w+\.webp)"/g)].map(([, name]) => name);
    expect(opened.sort()).toEqual(place.files('out'));
  });

  it('finds a byte that the disk has corrupted, which a stat cannot show', async () => {
    await place.process();
    rot(out('a_a.webp'));
    expect(countsOf(await place.process())).toEqual({ unchanged: 3 });
    const { document, code } = await verify();
    expect([wordsOf(document)['a_a.webp']?.[0], code]).toEqual(['changed', 1]);
    expect(Object.keys(wordsOf(document))).toEqual(['a_a.webp']);
  });

  it('finds problems in every output format', async () => {
    const variants = ['jpeg', 'png', 'avif'].flatMap((format) => [
      '--variant',
      `${format}:w=30,format=${format}`,
    ]);
    await place.process(...variants);
    expect((await verify()).document).toMatchObject({ verified: 9, problems: [] });
    for (const [name, format] of [
      ['jpg', 'jpeg'],
      ['png', 'png'],
      ['avif', 'avif'],
    ] as const) {
      const path = out(`a_${format}.${name}`);
      const exif = { IFD0: { Copyright: 'me' } };
      writeFileSync(path, await sharp(path).withExif(exif).toFormat(format).toBuffer());
    }
    expect(wordsOf((await verify()).document)).toEqual({
      'a_avif.avif': ['changed', 'metadata'],
      'a_jpeg.jpg': ['changed', 'metadata'],
      'a_png.png': ['changed', 'metadata'],
    });
  });

  it('prints one line per problem, with escaped names and a fix', async () => {
    putOld(place.at('photos/\u001b[31m\n.jpg'), await picture({ seed: 9 }));
    await place.process();
    rmSync(out('\u001b[31m\n_a.webp'));
    truncateSync(out('a_a.webp'), 60);
    const { stdout, stderr, code } = await place.run(['verify']);
    expect([stderr, code]).toEqual(['', 1]);
    const [first, second, ...rest] = stdout.split('\n');
    expect(first).toBe(`${place.at('out')}/\\x1b[31m\\n_a.webp: missing: is not there`);
    expect(second).toMatch(/a_a\.webp: changed: has 60 bytes, not the \d+ that were written; undecodable: /);
    expect(rest).toEqual(['8 outputs verified, 2 not in order', 'Make them again: imgtool verify --fix', '']);
  });

  it('ends by the signal that stops it, and leaves no child process', async () => {
    putOld(place.at('photos/large.jpg'), await noise(1500, 1500));
    await place.process('--variant', 'p:w=1500,format=png');
    const session = place.start(['verify', '--progress', 'bar']);
    await new Promise((resolve) => session.child.stderr?.once('data', resolve));
    session.signal('SIGINT', 'group');
    const { signal, stdout } = await session.ended;
    expect(signal).toBe('SIGINT');
    expect(stdout).toMatch(/^Stopped before all were seen\.\n/);
    expect(() => process.kill(-session.pid, 0), 'no process of the group is left').toThrow('ESRCH');
  });

  it('reports its own usage errors', async () => {
    await place.process();
    const unknown = await place.run(['verify', 'ffffffff']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('no batch has this id')]);
    place.put('text.db', 'no database, as anybody can see'.repeat(100));
    const unusable = await place.run(['verify', '--index', 'text.db']);
    expect([unusable.code, unusable.stdout]).toEqual([3, '']);
  });
});

describe('imgtool verify of one batch', () => {
  it('checks only the outputs of its jobs, whatever other batches made', async () => {
    const first = await place.process('--exclude', 'c.jpg');
    await place.process('--exclude', 'a.jpg', '--exclude', 'b.jpg');
    for (const name of ['a_a.webp', 'c_a.webp']) rmSync(out(name));
    const { document, code } = await verify(idOf(first).slice(0, 6));
    expect([document.batch, document.verified, wordsOf(document), code]).toEqual([
      idOf(first),
      4,
      { 'a_a.webp': ['missing'] },
      1,
    ]);
    const text = await place.run(['verify', idOf(first)]);
    expect(text.stdout).toContain(`Make them again: imgtool verify ${idOf(first)} --fix\n`);
  });

  it('checks the outputs of unchanged sources too, and none with other settings', async () => {
    await place.process('--exclude', 'c.jpg');
    await place.process('--variant', 'a:w=30', '--out', 'elsewhere');
    const second = await place.process();
    expect(countsOf(second)).toEqual({ completed: 1, unchanged: 2 });
    await place.process('--variant', 'other:w=30');
    for (const name of ['a_a.webp', 'c_b.webp', 'a_other.webp']) rmSync(out(name));
    const { document } = await verify(idOf(second));
    expect([document.verified, wordsOf(document)]).toEqual([
      6,
      { 'a_a.webp': ['missing'], 'c_b.webp': ['missing'] },
    ]);
  });

  it('leaves out outputs that were rendered again with other settings', async () => {
    const first = await place.process();
    await place.process('--variant', 'a:w=30');
    expect((await verify(idOf(first))).document).toMatchObject({ verified: 3, problems: [] });
  });

  it('checks outputs once that skipped duplicates share', async () => {
    putOld(place.at('photos/a2.jpg'), await picture({ seed: 1 }));
    const skipping = await place.process('--duplicates', 'skip');
    expect(countsOf(skipping)).toEqual({ completed: 3, duplicate: 1 });
    expect((await verify(idOf(skipping))).document).toMatchObject({ verified: 6, problems: [] });
    putOld(place.at('more/a3.jpg'), await picture({ seed: 1 }));
    const copies = await place.process('--duplicates', 'skip', '--include', 'none', 'more/a3.jpg');
    expect(countsOf(copies)).toEqual({ duplicate: 1 });
    expect((await verify(idOf(copies))).document).toMatchObject({ verified: 2, problems: [] });
  });
  it('checks the outputs from before a lenient retry too, and renders them again', async () => {
    const jpeg = await noise(300, 200);
    putOld(place.at('photos/torn.jpg'), jpeg.subarray(0, Math.floor(jpeg.length / 2)));
    const first = await place.process();
    expect(countsOf(first)).toEqual({ completed: 3, failed: 1 });
    expect((await place.run(['retry', idOf(first), '--lenient'])).code).toBe(0);
    expect((await verify(idOf(first))).document).toMatchObject({ verified: 8, problems: [] });
    for (const name of ['a_a.webp', 'torn_a.webp']) rmSync(out(name));
    const fixed = await verify(idOf(first), '--fix');
    expect([fixed.document.fixed, fixed.code]).toEqual([2, 0]);
    expect(countsOf(await place.process('--exclude', 'torn.jpg'))).toEqual({ unchanged: 3 });
  });
});
