import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, eventsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

const PROCESS = ['process', ...SMALL, '--out', 'out'];

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
});

const ABOUT_MADE = [
  ['list'],
  ['status', 'ffffffff'],
  ['status', 'ffffffff', '--watch'],
  ['verify'],
  ['verify', '--fix'],
  ['cancel', 'ffffffff'],
  ['resume', 'ffffffff'],
  ['retry', 'ffffffff'],
];

describe('an index that is named and is not there', () => {
  it.each(ABOUT_MADE)(
    'is refused by %s with exit code 2 and the nearest path, and is not made',
    async (...args) => {
      expect((await place.run([...PROCESS, '--index', 'index.db', 'photos'])).code).toBe(0);
      const outcome = await place.run([...args, '--json', '--index', 'indx.db']);
      expect([outcome.code, errorOf(outcome)]).toEqual([
        2,
        {
          code: 'usage',
          message: `${place.at('indx.db')}: there is no index (from flag --index)`,
          fix: `did you mean ${place.at('index.db')}?`,
        },
      ]);
      expect(place.files('.').filter((name) => name.startsWith('indx'))).toEqual([]);
    },
  );

  it('is refused if a variable or a file names it', async () => {
    const variable = await place.run(['list'], { env: { IMGTOOL_INDEX: 'other.db' } });
    expect([variable.code, variable.stdout]).toEqual([2, '']);
    expect(variable.stderr).toContain('there is no index (from IMGTOOL_INDEX)\nfix: check the path;');
    const file = place.put('.imgtoolrc', 'index: other.db\n');
    const listed = await place.run(['list', '--json']);
    expect([listed.code, errorOf(listed)]).toMatchObject([
      2,
      { code: 'config', message: expect.stringContaining(file) },
    ]);
    expect(existsSync(place.at('other.db'))).toBe(false);
  });

  it('gets a warning from doctor, and is not made', async () => {
    const { code, stdout } = await place.run(['doctor', '--index', 'other.db']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/warning +index .*other\.db: is not there/)]);
    expect(existsSync(place.at('other.db'))).toBe(false);
  });

  it('is made by process, which says so once', async () => {
    const args = [...PROCESS, '--index', 'other.db', 'photos'];
    const line = `imgtool: made a new index: ${place.at('other.db')}\n`;
    const first = await place.run(args);
    expect([first.code, first.stderr.split(line).length - 1]).toEqual([0, 1]);
    const again = await place.run(args);
    expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('new index')]);
    expect((await place.run(['list', '--index', 'other.db'])).stdout.split('\n')).toHaveLength(4);
  });

  it('is made by process in silence with --quiet', async () => {
    const { code, stderr } = await place.run([...PROCESS, '--quiet', '--index', 'other.db', 'photos']);
    expect([code, stderr, existsSync(place.at('other.db'))]).toEqual([0, '', true]);
  });

  it('is named in the JSON of the batch that makes it', async () => {
    const args = [...PROCESS, '--json', '--index', 'other.db', 'photos'];
    const started = async () => eventsOf(await place.run(args)).find(({ type }) => type === 'batch.started');
    expect(await started()).toMatchObject({ newIndex: place.at('other.db') });
    expect(await started()).not.toHaveProperty('newIndex');
  });

  it('is made by a watch, which says so', async () => {
    const args = ['watch', '--once', ...SMALL, '--out', 'out', '--index', 'other.db', 'photos'];
    const { code, stderr } = await place.run(args);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`newIndex=${place.at('other.db')}\n`)]);
  });
});

describe('the usual index that is not there yet', () => {
  it.each(ABOUT_MADE)('is an index without batches for %s, and is not made', async (...args) => {
    const { code, stderr } = await place.run(args);
    const isKnown = args[0] === 'list' || args[0] === 'verify';
    expect([code, stderr]).toEqual(isKnown ? [0, ''] : [2, expect.stringContaining('no batch has this id')]);
    expect(existsSync(place.index)).toBe(false);
  });

  it('is no problem for doctor, and is not made', async () => {
    const { code, stdout } = await place.run(['doctor']);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/ok +index .*: is not there; the first batch makes it/),
    ]);
    expect(existsSync(place.index)).toBe(false);
  });

  it('is made by process without a word', async () => {
    const { code, stderr } = await place.run([...PROCESS, 'photos']);
    expect([code, stderr, existsSync(place.index)]).toEqual([
      0,
      expect.not.stringContaining('new index'),
      true,
    ]);
  });
});
