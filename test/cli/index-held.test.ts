import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { makeGate } from './gate.ts';
import { countsOf, errorOf, finishedOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { picture, putOld } from './pictures.ts';

const COUNT = 6;
let place: Place;
let sources: Sources;
beforeEach(async () => {
  place = openPlace();
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), await picture({ seed: i }));
  sources = sourcesOf(place, 'photos');
});

/** A batch without images makes an index. */
async function makeIndex(): Promise<void> {
  place.put('none/text.txt', 'text');
  expect((await place.run(['process', 'none'])).code).toBe(0);
}

describe('an index that another program locks', () => {
  /** Milliseconds: longer than any wait inside SQLite, shorter than the longest wait of imgtool. */
  const HELD = 3_000;

  it('for seconds makes a batch wait without a message', async () => {
    await makeIndex();
    const other = keep(new Sqlite(place.index));
    other.exec('BEGIN IMMEDIATE');
    const since = performance.now();
    const session = place.start(['process', '--json', '--variant', 'a:w=40', '--out', 'out', 'photos']);
    await passes(HELD);
    other.exec('COMMIT');
    other.close();
    const outcome = await session.ended;
    expect(performance.now() - since).toBeGreaterThan(HELD);
    expect([outcome.code, countsOf(outcome), outcome.stderr]).toEqual([0, { completed: COUNT }, '']);
    expect(outcome.stdout).not.toMatch(/busy|locked/i);
    await assertInvariants(place, { sources, outcome });
  });

  it('does not delay the reaction to a signal', async () => {
    await makeIndex();
    const batch = ['process', '--json', '--jobs', '1', '--variant', 'a:w=40', '--out', 'out', 'photos'];
    const gate = makeGate(place);
    const session = place.start(batch, gate);
    await gate.held(session);
    const other = keep(new Sqlite(place.index, { timeout: 10_000 }));
    other.exec('BEGIN IMMEDIATE');
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    gate.open();
    other.exec('COMMIT');
    other.close();
    const outcome = await session.ended;
    expect(outcome.signal).toBe('SIGINT');
    await assertInvariants(place, { sources, outcome });
  });
});

const isRoot = process.getuid?.() === 0;
/** Root can write everywhere, so as root the test runs the binary as nobody. */
const NOBODY = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
const BINARY = fileURLToPath(new URL('../../bin/imgtool.js', import.meta.url));

describe.skipIf(!succeeds([...NOBODY, process.execPath, '--check', BINARY]))(
  'a read-only index (root needs setpriv and a checkout that everybody can read)',
  () => {
    const asReader = { before: NOBODY };
    let batch: string;
    beforeEach(async () => {
      batch = finishedOf(await place.process()).batch;
      // A home that everybody can read, because imgtool searches it for settings.
      execFileSync('chmod', ['-R', 'a+rX', dirname(place.cwd)]);
      chmodSync(place.index, 0o444);
      chmodSync(dirname(place.index), 0o555);
    });
    afterEach(() => chmodSync(dirname(place.index), 0o755));

    it('can be listed and read, and stays as it is', async () => {
      const before = readFileSync(place.index);
      const listed = await place.run(['list', '--json'], asReader);
      expect([listed.code, listed.stderr]).toEqual([0, '']);
      expect(listed.stdout).toContain(batch);
      const shown = await place.run(['status', batch, '--json', '--all'], asReader);
      expect(JSON.parse(shown.stdout)).toMatchObject({
        batch: { state: 'finished', counts: { completed: COUNT } },
      });
      const looked = await place.run(['doctor'], asReader);
      expect(looked.stdout).toMatch(/ok +index /);
      expect(readFileSync(place.index).equals(before)).toBe(true);
    });

    it('is refused before any work by commands that write to it', async () => {
      rmSync(place.at('out'), { recursive: true });
      const args = ['process', '--json', '--out', 'out', 'photos'];
      const refused = await place.run(args, asReader);
      expect([refused.code, errorOf(refused).code]).toEqual([3, 'index_unusable']);
      expect(refused.stderr).toMatch(/error: .*index\.db: may not be written/);
      expect(refused.stderr).toContain('fix: ');
    });

    it('can be listed while its owner writes to it, and the batch shows as running', async () => {
      chmodSync(place.index, 0o644);
      chmodSync(dirname(place.index), 0o755);
      for (const seed of [50, 51]) putOld(place.at(`more/${seed}.jpg`), await picture({ seed }));
      const gate = makeGate(place, { before: 'more' });
      const session = place.start(['process', '--json', '--jobs', '1', '--out', 'out', 'more'], gate);
      await session.jobs(1);
      await gate.held(session);
      const listed = await place.run(['list', '--json'], asReader);
      gate.open();
      const outcome = await session.ended;
      expect(outcome.code).toBe(0);
      expect(listed.stderr).toBe('');
      const { batches } = JSON.parse(listed.stdout) as { batches: { id: string; state: string }[] };
      const states = Object.fromEntries(batches.map(({ id, state }) => [id, state]));
      expect(states).toEqual({ [batch]: 'finished', [finishedOf(outcome).batch]: 'running' });
    });
  },
);

function succeeds([command = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
