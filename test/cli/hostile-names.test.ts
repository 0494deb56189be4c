import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, jobOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { difference, picture, putOld } from './pictures.ts';
import { hasTerminal, onTerminal } from './terminal.ts';
import { argsOf } from './watching.ts';

/** Characters that would break a line, move the cursor or change the writing direction. */
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
/** Characters that people do not see. */
const UNSEEN = /[\u200b\u2060-\u206f\ufeff]/;
/** Codes of the program's own display: colours, lines and columns, hiding and showing the cursor, clearing lines. */
const OWN = /\u001b\[(?:\d*(?:;\d+)*m|\d*[ABCDGJK]|\?(?:7|25|2026)[lh])|\r/g;

let place: Place;
beforeEach(() => {
  place = openPlace();
});

const NAMES = [
  'caf\u00e9.jpg',
  'cafe\u0301.jpg',
  '..a.jpg.jpg',
  'a..jpg',
  'a\u2215..\u2215b.jpg',
  'CON.jpg',
  'con.JPG',
  'nul.tar.jpg',
  'trailing dot..jpg',
  ' leading and trailing .jpg',
  'tab\there.jpg',
  'return\rhere.jpg',
  'bell\u0007 backspace\b.jpg',
  'osc\u001b]8;;evil:\u001b\\link\u001b]8;;\u001b\\.jpg',
  'clear\u001b[2J\u001b[H.jpg',
  '\u2066isolated\u2069.jpg',
  'zero\u200bwidth\ufeff.jpg',
  'line\u2028separator.jpg',
  '{dir}.jpg',
  '{name}_{variant}.{ext}.jpg',
  '%s%n%d.jpg',
  '$(touch pwned).jpg',
  '`touch pwned`;|&>pwned.jpg',
  '*?[!a].jpg',
  '~.jpg',
  '~root.jpg',
  'C:\\Windows\\x.jpg',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{1f3f4}.jpg',
  `${'\u{1f600}'.repeat(62)}abc.jpg`,
  `${'x'.repeat(251)}.jpg`,
  '.jpg.jpg',
  'constructor.jpg',
  '__proto__.jpg',
];
/** Pictures whose names begin with a dot are hidden files. */
const isHidden = (name: string) => name.startsWith('.');

async function putNames(folders = ['photos']): Promise<string[]> {
  const paths = folders.flatMap((folder) => NAMES.map((name) => `${folder}/${name}`));
  for (const [seed, path] of paths.entries()) putOld(place.at(path), await picture({ seed }));
  return paths.filter((path) => !isHidden(path.slice(path.lastIndexOf('/') + 1)));
}

/** All files in the working folder except the outputs. */
const besides = () => place.files('.').filter((name) => !name.startsWith('out/'));

describe('pictures with hostile names in folders with hostile names', () => {
  const FOLDERS = [
    'photos',
    'photos/new\nline',
    'photos/b..',
    'photos/{name}',
    'photos/-n',
    'photos/\u001b[31m',
  ];

  it('are each processed once and reported by name, and no file is written outside the output folder', async () => {
    const paths = await putNames(FOLDERS);
    const [before, sources] = [besides(), sourcesOf(place, 'photos')];
    const outcome = await place.run(['process', '--json', '--variant', 'a:w=40', '--out', 'out', 'photos']);
    expect([outcome.code, outcome.stderr, countsOf(outcome)]).toEqual([0, '', { completed: paths.length }]);
    expect(
      jobsOf(outcome)
        .map(({ source }) => source)
        .sort(),
    ).toEqual([...paths].sort());
    expect(outcome.stdout).not.toMatch(ACTING);
    expect(besides()).toEqual(before);
    expect(place.files('out')).toHaveLength(paths.length);
    for (const path of paths.slice(0, NAMES.length)) {
      const made = jobOf(outcome, path).outputs?.[0]?.path ?? '';
      expect(await difference(place.at(made), place.at(path)), path).toBeLessThan(20);
    }
    const again = await place.run(['process', '--json', '--variant', 'a:w=40', '--out', 'out', 'photos']);
    expect(countsOf(again)).toEqual({ unchanged: paths.length });
    await assertInvariants(place, { sources, outcome: again });
  });

  it('are each processed once by a watch, and no file is written outside the output folder', async () => {
    const paths = await putNames();
    const [before, sources] = [besides(), sourcesOf(place, 'photos')];
    const outcome = await place.run(argsOf(['--once', '--name', '{dir}/{name}/{variant}.{ext}']));
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: paths.length }]);
    expect(
      jobsOf(outcome)
        .map(({ source }) => source)
        .sort(),
    ).toEqual([...paths].sort());
    expect(outcome.stdout + outcome.stderr).not.toMatch(ACTING);
    expect(besides()).toEqual(before);
    await assertInvariants(place, { sources, outcome });
  });
});

describe('on the screen', () => {
  const SCREENS = [
    ['plain and in full', ['--progress', 'plain', '--verbose']],
    ['plain with colours', ['--progress', 'plain', '--verbose', '--color', 'always']],
    ['with a bar', ['--progress', 'bar', '--color', 'always']],
  ] as const;

  it.each(SCREENS)('hostile names have no effect, %s', async (_, flags) => {
    const paths = await putNames();
    place.put('photos/broken \u001b[2J\nname\u202e.jpg', 'no picture');
    const outcome = await place.run(
      ['process', ...SMALL, '--out', 'out', ...flags, 'photos'],
      hasTerminal ? onTerminal() : {},
    );
    const shown = (outcome.stdout + outcome.stderr).replaceAll('\r\n', '\n').replace(OWN, '');
    expect(shown).not.toMatch(ACTING);
    expect(shown).not.toMatch(UNSEEN);
    expect(shown).toContain('broken \\x1b[2J\\nname\\u202e.jpg');
    expect(shown).not.toMatch(/^name/m);
    expect(place.files('out')).toHaveLength(2 * paths.length);
  });
});

describe('names that are not UTF-8', () => {
  it.each([['process'], ['watch']])(
    'are skipped with a reason by %s, names of folders too',
    async (command) => {
      const good = await picture();
      putOld(place.at('photos/good.jpg'), good);
      const bad = (name: string) =>
        Buffer.concat([Buffer.from(`${place.at('photos')}/`), Buffer.from(name, 'latin1')]);
      writeFileSync(bad('caf\u00e9.jpg'), good);
      writeFileSync(bad('\u00ff\u00fe.jpg'), good);
      mkdirSync(bad('fol\u00e9der'));
      writeFileSync(bad('fol\u00e9der/x.jpg'), good);
      const args =
        command === 'watch'
          ? argsOf(['--once', '--verbose'])
          : ['process', '--json', '--verbose', ...SMALL, '--out', 'out', 'photos'];
      const outcome = await place.run(args);
      expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 1 }]);
      const passedOver = eventsOf(outcome).flatMap((event) => (event.type === 'passed_over' ? [event] : []));
      expect(passedOver.map(({ path, reason }) => `${path} ${reason}`).sort()).toEqual([
        'photos/caf\ufffd.jpg name_not_utf8',
        'photos/fol\ufffdder name_not_utf8',
        'photos/\ufffd\ufffd.jpg name_not_utf8',
      ]);
      expect(place.files('out')).toEqual(['good_a.webp', 'good_b.webp']);
      renameSync(bad('fol\u00e9der'), place.at('photos/folder'));
      for (const name of readdirSync(Buffer.from(place.at('photos')), 'buffer'))
        if (!Buffer.from(name.toString()).equals(name))
          renameSync(
            Buffer.concat([Buffer.from(`${place.at('photos')}/`), name]),
            join(place.cwd, name.toString('hex')),
          );
      await assertInvariants(place, { sources: new Map(), outcome });
    },
  );
});
