import { copyFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { jobsOf, openPlace, type Place, SMALL } from '../cli/imgtool.ts';
import { assertInvariants, sourcesOf } from '../cli/invariants.ts';
import { hashOf, picture, putOld } from '../cli/pictures.ts';
import { argsOf } from '../cli/watching.ts';
import { type Call, canTrace, opensToWrite, pathOf, traced } from './tracing.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

const BATCH = ['process', '--json', '--jobs', '2', ...SMALL, '--out', 'out', 'photos'];

function putPhotographs(count: number): void {
  const from = fileURLToPath(new URL('../fixtures/photos', import.meta.url));
  const names = readdirSync(from).filter((name) => name.endsWith('.jpg'));
  for (const name of names.slice(0, count)) {
    place.put(`photos/${name}`, '');
    copyFileSync(`${from}/${name}`, place.at('photos', name));
  }
}

describe.skipIf(!canTrace)('the system calls for each output', () => {
  it.each([
    ['that is new', false],
    ['that replaces one', true],
  ])(
    '%s sync the bytes, set the name, sync the folder and record the output, in this order',
    async (_, replaces) => {
      putPhotographs(3);
      if (replaces) {
        for (const name of place.files('photos')) putOld(place.at('photos', name), await picture());
        expect((await place.run(BATCH)).code).toBe(0);
        putPhotographs(3);
      }
      const sources = sourcesOf(place, 'photos');
      const { outcome, calls } = await traced(place, BATCH);
      const outputs = jobsOf(outcome).flatMap((job) => job.outputs ?? []);
      expect(outputs).toHaveLength(6);
      for (const { path } of outputs) {
        const steps = stepsOf(calls, place.at(path), hashOf(place.at(path)));
        for (const [i, step] of steps.slice(1).entries())
          expect(step.begun, `${step.name} of ${path} comes after ${steps[i]!.name}`).toBeGreaterThan(
            steps[i]!.done,
          );
        console.log(`${path}: ${steps.map(({ name, done }) => `${name} (line ${done})`).join(', ')}`);
      }
      await assertInvariants(place, { sources, outcome });
    },
  );
});

/** The sync of the staged file, its final name, the sync of the folder, and its first mention in the index. */
function stepsOf(calls: readonly Call[], path: string, checksum: string): Call[] {
  const named = find(
    calls,
    `the name ${path}`,
    ({ name, args, ok }) => ok && /^(link|rename)/.test(name) && args.includes(`"${path}"`),
  );
  const staged = pathOf(named);
  expect(staged).toMatch(/\/\.imgtool-\w+-\d+\.tmp$/);
  const isSync = ({ name, ok }: Call) => ok && /^f(data)?sync$/.test(name);
  const folder = path.slice(0, path.lastIndexOf('/'));
  const synced = find(
    calls,
    `the sync of ${staged}`,
    (call) => isSync(call) && call.args.includes(`<${staged}>`),
  );
  const kept = find(
    calls,
    `the sync of ${folder}`,
    (call) => isSync(call) && call.args.includes(`<${folder}>`) && call.begun > named.done,
  );
  const recorded = find(
    calls,
    `the index record of ${checksum}`,
    ({ name, args }) => name === 'pwrite64' && /\.db(-wal)?>/.test(args) && args.includes(checksum),
  );
  return [synced, named, kept, recorded];
}

function find(calls: readonly Call[], what: string, is: (call: Call) => boolean): Call {
  const found = calls.find(is);
  if (found === undefined) throw new Error(`not found: ${what}`);
  return found;
}

describe.skipIf(!canTrace)('a source', () => {
  it.each([
    ['by a first batch', async () => {}, BATCH],
    ['by one with --force', async () => void (await place.run(BATCH)), [...BATCH, '--force']],
    [
      'by one with outputs among the sources',
      async () => {},
      BATCH.map((arg) => (arg === 'out' ? 'photos' : arg)),
    ],
    ['by a watch', async () => {}, argsOf(['--once'])],
  ])('is never opened for writing or changed in another way, %s', async (_, before, args) => {
    putPhotographs(7);
    putOld(place.at('photos/copy.jpg'), await picture());
    putOld(place.at('photos/copy of it.jpg'), await picture());
    await before();
    const sources = sourcesOf(place, 'photos');
    const { outcome, calls } = await traced(place, args);
    expect(outcome.code).toBe(0);
    for (const source of sources.keys()) {
      const of = calls.filter(({ args }) => args.includes(`"${source}"`) || args.includes(`<${source}>`));
      expect(of.length, `${source} was read`).toBeGreaterThan(0);
      const isToRead = (call: Call) => call.name.startsWith('open') && !opensToWrite(call);
      expect(
        of.filter((call) => !isToRead(call)),
        `${source} is only opened, and to be read`,
      ).toEqual([]);
    }
    await assertInvariants(place, { sources, outcome });
  });
});
