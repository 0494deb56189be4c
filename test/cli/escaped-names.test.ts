import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, jobOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { difference, picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});
const put = async (name: string, seed: number) => putOld(place.at(name), await picture({ seed }));

describe('hostile names in lists and on the screen', () => {
  const NAMES = [
    'new\nline.jpg',
    'esc\u001b[31mred\u001b]0;title\u0007.jpg',
    '-rf.jpg',
    '--out.jpg',
    `${'é'.repeat(125)}x.jpg`,
    '\u202egpj.exe.jpg',
    'emoji 👩‍👩‍👧 party 🎉.jpg',
    'bracket[Q=1].jpg',
    'quote\' double" back`tick $(touch pwned).jpg',
    'dots...jpg',
    'a\\b.jpg',
    'percent %s %d {name}.jpg',
    'CON.jpg',
    'space at the end .jpg',
    'c1\u009b2J.jpg',
  ];

  it('are processed, reported as valid JSON, and escaped on the screen', async () => {
    for (const [seed, name] of NAMES.entries()) await put(`photos/${name}`, seed);
    expect(Math.max(...NAMES.map((name) => Buffer.byteLength(name)))).toBe(255);
    const outcome = await place.process('--progress', 'plain', '--verbose');
    expect(countsOf(outcome)).toEqual({ completed: NAMES.length });
    for (const name of NAMES) {
      const outputs = jobOf(outcome, `photos/${name}`).outputs ?? [];
      for (const { path } of outputs) expect(Buffer.byteLength(path.slice(4))).toBeLessThanOrEqual(255);
      expect(await difference(place.at(outputs[0]!.path), place.at('photos', name))).toBeLessThan(20);
    }
    expect(outcome.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(outcome.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(outcome.stderr).toContain('photos/new\\nline.jpg');
    expect(outcome.stderr).toContain('photos/esc\\x1b[31mred');
    expect(countsOf(await place.process())).toEqual({ unchanged: NAMES.length });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('are used as they are after -- and in lists', async () => {
    const named = NAMES.filter((name) => !name.includes('\n'));
    for (const [seed, name] of NAMES.entries()) await put(name, seed);
    const dashes = await place.process('--', '-rf.jpg', '--out.jpg', 'bracket[Q=1].jpg');
    expect(countsOf(dashes)).toEqual({ completed: 3 });
    place.put('lines', `\u{feff}${named.join('\r\n')}\r\n`);
    const lines = await place.process('--files-from', 'lines');
    expect(countsOf(lines)).toEqual({ completed: named.length - 3, unchanged: 3 });
    const args = ['process', '--json', ...SMALL, '--out', 'out', '--files-from', '-', '-0'];
    const nul = await place.run(args, { stdin: NAMES.join('\0') });
    expect(countsOf(nul)).toEqual({ completed: 1, unchanged: named.length });
  });

  it('are escaped in failures and in `status`', async () => {
    place.put('photos/bad\u001b[2J\nname.jpg', 'text');
    const outcome = await place.run(['process', '--out', 'out', 'photos']);
    expect([outcome.code, outcome.stdout]).toEqual([1, '']);
    expect(outcome.stderr).toContain('photos/bad\\x1b[2J\\nname.jpg');
    const [id = ''] = /(?<=status )[0-9a-f]+/.exec(outcome.stderr) ?? [];
    const { stdout } = await place.run(['status', id]);
    expect(stdout).toContain('photos/bad\\x1b[2J\\nname.jpg');
    expect(outcome.stderr + stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('leave nothing outside the output folder', async () => {
    await put('photos/..jpg', 1);
    await put('photos/...jpg', 2);
    await put('photos/sub/...jpg', 3);
    const outside = () => place.files('.').filter((name) => !name.startsWith('out/'));
    const before = outside();
    const named = ['photos/..jpg', 'photos/...jpg', 'photos/sub/...jpg'];
    const outcome = await place.process('--name', '{dir}/{name}/{variant}.{ext}', '--', ...named);
    expect(countsOf(outcome)).toEqual({ completed: 3 });
    expect([outside(), place.files('out')]).toEqual([
      before,
      expect.arrayContaining(['.~/a.webp', '..~/a.webp']),
    ]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });
});
