import { readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import {
  countsOf,
  eventsOf,
  finishedOf,
  jobOf,
  type Outcome,
  openPlace,
  type Place,
  SMALL,
} from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { hashOf, picture, putOld } from './pictures.ts';
import { HARMS, rot, verify } from './verifying.ts';
import { ALONE, startWatch, stop } from './watching.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const [i, name] of ['a', 'b'].entries()) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
  }
});

const out = (name: string) => place.at('out', name);
const textOf = (name: string) => readFileSync(out(name), 'utf8');
const warningsIn = (outcome: Pick<Outcome, 'stdout'>) =>
  eventsOf(outcome).flatMap((event) => (event.type === 'warning' ? [event.message] : []));
const remadeText = (name: string) => `out/${name}: was changed since imgtool made it, so it was made again`;

describe('verify --fix', () => {
  it('makes a named output again, and leaves edits of the other outputs of its source', async () => {
    await place.process();
    await HARMS.edited.do(out('a_a.webp'));
    const mine = hashOf(out('a_a.webp'));
    rmSync(out('a_b.webp'));
    expect(await verify(place, 'out/a_b.webp', '--fix')).toMatchObject({ code: 0, document: { fixed: 1 } });
    expect(hashOf(out('a_a.webp'))).toBe(mine);
    // The index still knows that this is an edit.
    expect(await verify(place, 'out')).toMatchObject({ code: 1, document: { wrong: 1 } });
    const again = await place.process();
    expect(warningsIn(again)).toEqual([remadeText('a_a.webp')]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: again });
  });

  it.each([
    ['--keep-edited', (args: string[]) => [...args, '--keep-edited']],
    [
      'keepEdited in a settings file',
      (args: string[]) => {
        place.put('.imgtoolrc', 'keepEdited: true\n');
        return args;
      },
    ],
  ])('leaves the edits of a named folder with %s, and makes what is missing', async (_, withSetting) => {
    await place.process();
    await HARMS.edited.do(out('a_a.webp'));
    place.put('out/b_a.webp', 'mine too, and no picture');
    const mine = hashOf(out('a_a.webp'));
    for (const name of ['a_b', 'b_b']) rmSync(out(`${name}.webp`));
    const { stdout } = await place.run(['verify', ...withSetting(['out'])]);
    // No command that it names loses an edit unless that is what it is for.
    expect(stdout).toContain('Make 2 of them again: imgtool verify out --fix --keep-edited\n');
    expect(stdout).toContain(
      `to make them again: imgtool verify ${place.at('out')} --fix --no-keep-edited\n`,
    );
    const fixed = await verify(place, ...withSetting(['out', '--fix']));
    expect(fixed).toMatchObject({ code: 1, document: { fixed: 2 } });
    expect([hashOf(out('a_a.webp')), textOf('b_a.webp')]).toEqual([mine, 'mine too, and no picture']);
    expect(place.files('out')).toHaveLength(4);
    const all = await verify(place, place.at('out'), '--fix', '--no-keep-edited');
    expect(all).toMatchObject({ code: 0, document: { fixed: 2 } });
  });

  it('without a path leaves an edit of the same source also where a killed repair is resumed', async () => {
    await place.process();
    await HARMS.edited.do(out('a_a.webp'));
    const mine = hashOf(out('a_a.webp'));
    rmSync(out('a_b.webp'));
    const gate = makeGate(place, { free: 0 });
    const session = place.start(['verify', '--fix'], gate);
    await gate.held(session);
    session.signal('SIGKILL', 'group');
    await session.ended;
    expect((await place.run(['resume', 'last'])).code).toBe(0);
    expect([place.files('out').length, hashOf(out('a_a.webp'))]).toEqual([4, mine]);
  });

  it('of a batch leaves edits of outputs that another batch made', async () => {
    const { batch } = finishedOf(await place.process('--variant', 'a:w=40'));
    await place.process();
    place.put('out/a_b.webp', 'mine');
    rmSync(out('a_a.webp'));
    expect(await verify(place, batch, '--fix')).toMatchObject({ code: 0, document: { fixed: 1 } });
    expect(textOf('a_b.webp')).toBe('mine');
  });

  it('leaves a file that appears in the place of a missing output while it is made again', async () => {
    await place.process();
    rmSync(out('a_a.webp'));
    const gate = makeGate(place, { free: 0 });
    const session = place.start(['verify', 'out', '--fix'], gate);
    await gate.held(session);
    place.put('out/a_a.webp', 'mine');
    gate.open();
    const { code, stdout } = await session.ended;
    expect([code, stdout]).toEqual([1, expect.stringContaining('not made again: was not put in order')]);
    expect(textOf('a_a.webp')).toBe('mine');
  });
});

describe('an output that verify --fix found damaged and could not make again', () => {
  const copyright = ['--copyright', 'Annabella'];

  /** Damages an output that can still be decoded, and lets a repair fail because its source is away. */
  async function damage() {
    await place.process(...copyright);
    const good = hashOf(out('a_a.webp'));
    rot(out('a_a.webp'), readFileSync(out('a_a.webp')).lastIndexOf('Annabella'));
    renameSync(place.at('photos/a.jpg'), place.at('a.jpg'));
    expect(await verify(place, '--fix')).toMatchObject({ code: 1, document: { wrong: 1, fixed: 0 } });
    renameSync(place.at('a.jpg'), place.at('photos/a.jpg'));
    return good;
  }

  it.each([
    ['verify --fix', () => place.run(['verify', '--fix', '--json'])],
    ['verify --fix --keep-edited', () => place.run(['verify', 'out', '--fix', '--keep-edited', '--json'])],
    ['process', () => place.process(...copyright)],
    ['process --keep-edited', () => place.process(...copyright, '--keep-edited')],
  ])('is made again by %s, and nobody is said to have changed it', async (_, mend) => {
    const good = await damage();
    const outcome = await mend();
    expect([outcome.code, outcome.stderr, hashOf(out('a_a.webp'))]).toEqual([0, '', good]);
    expect(outcome.stdout).not.toContain('was changed since');
    expect(await verify(place)).toMatchObject({ code: 0, document: { verified: 4, wrong: 0 } });
  });

  it('is made again by the resume of a repair that was killed, also if its batch kept edits', async () => {
    await place.process('--keep-edited', ...copyright);
    const good = hashOf(out('a_a.webp'));
    rot(out('a_a.webp'), readFileSync(out('a_a.webp')).lastIndexOf('Annabella'));
    const gate = makeGate(place, { free: 0 });
    const session = place.start(['verify', '--fix'], gate);
    await gate.held(session);
    session.signal('SIGKILL', 'group');
    await session.ended;
    const { code, stderr } = await place.run(['resume', 'last', '--json']);
    expect([code, stderr, hashOf(out('a_a.webp'))]).toEqual([0, '', good]);
  });

  it('stays if somebody edits it later', async () => {
    await damage();
    await HARMS.edited.do(out('a_a.webp'));
    const mine = hashOf(out('a_a.webp'));
    expect(await verify(place, '--fix')).toMatchObject({ code: 1, document: { wrong: 1, fixed: 0 } });
    const kept = await place.process(...copyright, '--keep-edited');
    expect(kept.stdout).toContain('to make it again, use --no-keep-edited');
    expect([warningsIn(kept), hashOf(out('a_a.webp'))]).toEqual([
      ['out/a_a.webp: was changed since imgtool made it, so it stays'],
      mine,
    ]);
  });
});

describe('an output that is edited while its image is rendered', () => {
  it.each([
    ['replaced', () => {}],
    ['missing before', () => rmSync(out('a_a.webp'))],
  ])('is made again, and a warning names it: %s', async (_, before) => {
    await place.process();
    before();
    rmSync(out('a_b.webp'));
    const gate = makeGate(place, { before: 'out', free: 0 });
    const args = ['--lenient', '--out', 'out', ...SMALL];
    const session = place.start(['process', '--json', ...args, 'photos/a.jpg'], gate);
    await gate.held(session);
    place.put('out/a_a.webp', 'mine');
    gate.open();
    const outcome = await session.ended;
    expect([outcome.code, warningsIn(outcome)]).toEqual([0, [remadeText('a_a.webp')]]);
    expect(await verify(place, 'out/a_a.webp')).toMatchObject({ code: 0 });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('keeps its bytes if it appears under a name that imgtool has not used yet', async () => {
    const gate = makeGate(place, { before: 'out', free: 0 });
    const session = place.start(['process', '--json', '--out', 'out', ...SMALL, 'photos/a.jpg'], gate);
    await gate.held(session);
    place.put('out/a_a.webp', 'mine');
    gate.open();
    const outcome = await session.ended;
    expect(jobOf(outcome, 'photos/a.jpg')).toMatchObject({
      state: 'failed',
      error: { code: 'output_exists' },
    });
    expect(textOf('a_a.webp')).toBe('mine');
  });
});

describe('a source whose name changes only in case', () => {
  it('leaves an edited output under the former name, with a warning', async () => {
    await place.process();
    place.put('out/a_a.webp', 'mine');
    renameSync(place.at('photos/a.jpg'), place.at('photos/A.jpg'));
    const outcome = await place.process();
    expect(warningsIn(outcome)).toEqual([
      'out/a_a.webp: was changed since imgtool made it, so the file stays',
    ]);
    expect(textOf('a_a.webp')).toBe('mine');
    expect(place.files('out')).toEqual(['A_a.webp', 'A_b.webp', 'a_a.webp', 'b_a.webp', 'b_b.webp']);
  });
});

describe('a picture that a user puts in the place of an output', () => {
  const SAME = ['--variant', 'x:w=40,format=webp', '--name', '{dir}/{name}.{ext}', '--out', 'photos'];
  const inPlace = () => place.run(['process', '--json', ...SAME, 'photos']);
  const elsewhere = (...more: string[]) =>
    place.run(['process', '--json', ...SMALL, '--out', 'elsewhere', ...more]);
  let mine: string;
  beforeEach(async () => {
    await inPlace();
    putOld(place.at('photos/a.webp'), await picture({ seed: 9, format: 'webp' }));
    mine = hashOf(place.at('photos/a.webp'));
  });

  it('is a source if it is named, and then no output replaces it', async () => {
    const named = await elsewhere('photos/a.webp', 'photos/b.webp');
    expect([named.code, countsOf(named), finishedOf(named).passedOverBy]).toEqual([
      0,
      { completed: 1 },
      { output: 1 },
    ]);
    expect(place.files('elsewhere')).toEqual(['a_a.webp', 'a_b.webp']);
    expect(countsOf(await elsewhere('photos/a.webp'))).toEqual({ unchanged: 1 });
    for (const more of [[], ['--force'], ['--dry-run']]) {
      const again = await place.run(['process', '--json', ...SAME, ...more, 'photos']);
      expect([again.code, jobOf(again, 'photos/a.jpg')]).toMatchObject([
        1,
        { state: 'failed', error: { code: 'output_is_source' } },
      ]);
    }
    expect(hashOf(place.at('photos/a.webp'))).toBe(mine);
    const kept = await place.run(['process', '--json', ...SAME, '--keep-edited', 'photos']);
    expect([kept.code, warningsIn(kept).length]).toEqual([0, 1]);
    expect(hashOf(place.at('photos/a.webp'))).toBe(mine);
  });

  it('is an edited output if a folder is walked, in a list, and for the same --out', async () => {
    place.put('list', 'photos/a.webp\n');
    for (const [inputs, output] of [
      [['photos'], 2],
      [['--files-from', 'list'], 1],
    ] as const) {
      expect(finishedOf(await elsewhere(...inputs)).passedOverBy).toEqual({ output });
    }
    const same = await place.run(['process', '--json', ...SAME, 'photos/a.jpg', 'photos/a.webp']);
    expect([same.code, countsOf(same), warningsIn(same)]).toEqual([
      0,
      { completed: 1 },
      ['photos/a.webp: was changed since imgtool made it, so it was made again'],
    ]);
  });
});

describe('a foreign file whose name differs only in case from that of an output', () => {
  it('stays when the source gets that name, until --force replaces it with a warning', async () => {
    await place.process();
    renameSync(place.at('photos/a.jpg'), place.at('photos/A.jpg'));
    place.put('out/A_a.webp', 'mine');
    const outcome = await place.process();
    expect(jobOf(outcome, 'photos/A.jpg')).toMatchObject({
      state: 'failed',
      error: { code: 'output_exists' },
    });
    expect(textOf('A_a.webp')).toBe('mine');
    const forced = await place.process('--force');
    expect(warningsIn(forced)).toEqual([expect.stringMatching(/^out\/A_a\.webp: was replaced, and as far/)]);
    expect(place.files('out')).toEqual(['A_a.webp', 'A_b.webp', 'b_a.webp', 'b_b.webp']);
    expect(await verify(place, 'out')).toMatchObject({ code: 0 });
  });
});

describe('outputs of the same picture in another folder', () => {
  it('are of no use if they cannot be read, and then the picture is rendered', async () => {
    await place.process();
    rmSync(place.at('out'), { recursive: true });
    symlinkSync('out', place.at('out'));
    const outcome = await place.process('--out', 'other');
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 2 }]);
    expect(place.files('other')).toHaveLength(4);
  });
});

describe('a watch with --mirror', () => {
  it('names an edited output under a tagged name when its source takes its plain names', async () => {
    rmSync(place.at('photos/b.jpg'));
    putOld(place.at('photos/a.png'), await picture({ seed: 3, format: 'png' }));
    await place.process();
    const [tagged = ''] = place.files('out').filter((name) => name.includes('~') && name.includes('_a'));
    expect(tagged).not.toBe('');
    place.put(`out/${tagged}`, 'mine');
    rmSync(place.at('photos/a.jpg'));
    const session = startWatch(place, ...ALONE, '--mirror');
    await session.jobs(1);
    const outcome = await stop(session);
    expect(warningsIn(outcome)).toEqual([
      `out/${tagged}: was changed since imgtool made it, so the file stays`,
    ]);
    expect(textOf(tagged)).toBe('mine');
  });
});

/** Changes a byte in place. Size, inode and modification time stay, as with a tool that keeps times of whole seconds. */
function editUnseen(name: string): string {
  const path = out(name);
  const { atime, mtime, ino } = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes, { flag: 'r+' });
  utimesSync(path, atime, mtime);
  expect(statSync(path)).toMatchObject({ ino, mtime });
  return hashOf(path);
}

describe('an edit that keeps size, modification time and inode', () => {
  beforeEach(() => place.process('--times'));

  it.each([
    ['--force', ['--force']],
    ['other settings', ['--lenient']],
  ])('is named when %s replaces it, and before that by a dry run', async (_, more) => {
    editUnseen('a_a.webp');
    const dry = await place.process('--times', '--dry-run', ...more);
    expect(warningsIn(dry)).toEqual([remadeText('a_a.webp').replace('was made', 'would be made')]);
    const outcome = await place.process('--times', ...more);
    expect(warningsIn(outcome)).toEqual([remadeText('a_a.webp')]);
    expect(await verify(place, 'out')).toMatchObject({ code: 0 });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('is never removed by a mirror', async () => {
    const mine = editUnseen('a_a.webp');
    rmSync(place.at('photos/a.jpg'));
    const { stdout } = await place.process('--times', '--mirror');
    expect(warningsIn({ stdout })).toEqual([
      'out/a_a.webp: was changed since imgtool made it, so the file stays',
    ]);
    expect(hashOf(out('a_a.webp'))).toBe(mine);
  });

  it('is not given to a source with the same bytes', async () => {
    const good = await place.process('--out', 'plain').then(() => hashOf(place.at('plain/a_a.webp')));
    const { mtime } = statSync(place.at('photos/a.jpg'));
    const path = place.at('plain/a_a.webp');
    utimesSync(path, mtime, mtime);
    // The index learns the time that a program has set.
    await place.process('--out', 'plain');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes, { flag: 'r+' });
    utimesSync(path, mtime, mtime);
    putOld(place.at('photos/copy.jpg'), readFileSync(place.at('photos/a.jpg')));
    await place.process('--out', 'plain');
    expect(hashOf(place.at('plain/copy_a.webp'))).toBe(good);
  });
});

describe('--keep-edited', () => {
  it.each([
    [
      'that a stat shows',
      () => {
        place.put('out/a_a.webp', 'mine');
        return hashOf(out('a_a.webp'));
      },
      [],
    ],
    ['that a stat does not show', () => editUnseen('a_a.webp'), ['--lenient']],
  ])('leaves an edit %s, makes the other outputs, and says so', async (_, edit, more) => {
    await place.process('--times');
    const mine = edit();
    rmSync(out('a_b.webp'));
    const outcome = await place.process('--times', '--keep-edited', ...more);
    const kept = 'out/a_a.webp: was changed since imgtool made it, so it stays';
    expect([outcome.code, warningsIn(outcome)]).toEqual([0, [kept]]);
    const marks = jobOf(outcome, 'photos/a.jpg').outputs?.map(({ action, edited }) => [action, edited]);
    expect(marks).toEqual([
      ['kept', true],
      ['rendered', undefined],
    ]);
    expect(hashOf(out('a_a.webp'))).toBe(mine);
    const again = await place.process('--times', '--keep-edited', ...more);
    expect(warningsIn(again)).toEqual([kept]);
    expect(countsOf(again)).toMatchObject({ unchanged: 2 });
    const dry = await place.process('--times', '--keep-edited', '--dry-run', ...more);
    expect(warningsIn(dry)).toEqual([kept.replace('stays', 'would stay')]);
    const without = await place.process('--times', ...more);
    expect(warningsIn(without)).toEqual([remadeText('a_a.webp')]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: without });
  });
});
