import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { expect } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { makeGate } from './gate.ts';
import { countsOf, filesBelow, type Place, type Session } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, hashOf, picture, putOld } from './pictures.ts';

/** Kills a batch with its whole process group at a random moment, and checks the state before and after a resume. */

const STAGED = /\.imgtool-[^/]*\.tmp$/;
/** The second variant is slower than the first, whose output stays staged in the meantime. */
const BATCH = [
  'process',
  '--json',
  '--jobs',
  '2',
  '--variant',
  'a:w=30',
  '--variant',
  'b:w=120,format=avif,effort=0',
];
const INPUTS = ['--out', 'out', 'photos'];

/** The state of the folders when the killed batch begins. */
export const KINDS = ['fresh', 'replacing', 'duplicates', 'forced'] as const;
type Kind = (typeof KINDS)[number];

/** A batch of this many pictures. */
export interface Plan {
  readonly kind: Kind;
  readonly count: number;
  /** Killed while a picture is held before its read or before the write of an output, not after some time. */
  readonly held?: boolean;
}

export interface Landing {
  /** Milliseconds after the start. */
  readonly at: number;
  /** Results that were reported before the kill. */
  readonly reported: number;
  readonly staged: number;
  readonly processing: number;
  /** The batch had begun and had not ended. */
  readonly begun: boolean;
}

/** Numbers from 0 to 1. The same seed gives the same numbers. */
export function randomFrom(seed: number): () => number {
  let state = ((seed * 2_654_435_761) % 2 ** 32) >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Kills one batch, resumes it and checks it. Nearly one in ten is killed before it begins. */
export async function killedAndResumed(place: Place, plan: Plan, random: () => number): Promise<Landing> {
  const { kind, count, held = false } = plan;
  const edition = Math.floor(random() * 1_000);
  if (kind === 'replacing' || kind === 'forced') {
    await putPhotos(place, plan, kind === 'forced' ? edition : edition + 1);
    expect((await place.run([...BATCH, ...INPUTS])).code).toBe(0);
  }
  const before = outputsNow(place);
  await putPhotos(place, plan, edition);
  const sources = sourcesOf(place, 'photos');
  const batch = [...BATCH, ...(kind === 'forced' ? ['--force'] : []), ...INPUTS];
  const landing = await killed(place, batch, held ? onceHeld(count, random) : afterSome(count, random));
  // The run that resumes the batch can be killed too.
  if (random() < 0.25) {
    const second = place.start(wayOn(place, batch));
    await passes(random() * 900);
    second.signal('SIGKILL', 'group');
    await second.ended;
  }
  const found = outputsNow(place);
  const again = await place.run(wayOn(place, batch));
  expect([again.code, again.stderr]).toEqual([0, '']);
  const { completed = 0, duplicate = 0, unchanged = 0, ...others } = countsOf(again);
  expect([others, completed + duplicate + unchanged]).toEqual([{}, count]);
  const after = outputsNow(place);
  expect(after.size).toBe(2 * count);
  for (const [path, hash] of found) {
    const right = [after.get(path), before.get(path)];
    expect(right, `${path} was whole when the batch was killed`).toContain(hash);
  }
  await assertInvariants(place, { sources, outcome: again });
  return landing;
}

/** Starts a batch and kills it with all its children. `moment` resolves at the time of the kill. */
async function killed(place: Place, batch: readonly string[], moment: Moment): Promise<Landing> {
  const started = performance.now();
  const session = await moment(place, batch);
  session.signal('SIGKILL', 'group');
  const at = Math.round(performance.now() - started);
  const { stdout } = await session.ended;
  const reported = stdout.match(/"type":"job"/g)?.length ?? 0;
  return { at, reported, ...remains(place) };
}

type Moment = (place: Place, batch: readonly string[]) => Promise<Session>;

/** After some results and a part of the time that one result takes. */
function afterSome(count: number, random: () => number): Moment {
  return async (place, batch) => {
    const session = place.start(batch);
    const results = Math.floor(random() * count * 1.08) - Math.ceil(count * 0.08);
    if (results < 0) await passes(random() * 500);
    else {
      await session.event('batch.started');
      if (results > 0) await session.jobs(1);
      // The first result also includes the start of a child process.
      const first = performance.now();
      if (results > 0) await session.jobs(Math.min(results, count));
      const usual = results > 2 ? (performance.now() - first) / (results - 1) : 80;
      await passes(random() * 2 * usual);
    }
    return session;
  };
}

/** Always in the middle of a picture, however late the test acts. */
function onceHeld(count: number, random: () => number): Moment {
  return async (place, batch) => {
    const before = random() < 0.5 ? 'photos' : 'out/';
    const gate = makeGate(place, { before, free: Math.floor(random() * count) });
    const session = place.start(batch, gate);
    await gate.held(session);
    return session;
  };
}

/** The command that continues the last batch: resume, or the first command if nothing had begun or all had ended. */
function wayOn(place: Place, batch: readonly string[]): readonly string[] {
  const open = openBatch(place);
  return open === undefined ? batch : ['resume', '--json', open];
}

/** What the killed batch left. Reads a copy of the index, so the original stays untouched. */
function remains(place: Place): Pick<Landing, 'staged' | 'processing' | 'begun'> {
  const names = existsSync(place.at('out')) ? place.files('out') : [];
  const processing = inCopy(place, (db) => {
    const count = keep(db.prepare<[], number>("SELECT count(*) FROM jobs WHERE state = 'processing'"));
    return count.pluck().get();
  });
  const staged = names.filter((name) => STAGED.test(name)).length;
  return { staged, processing: processing ?? 0, begun: openBatch(place) !== undefined };
}

/** The id of a batch that has not ended. */
function openBatch(place: Place): string | undefined {
  return inCopy(place, (db) => {
    const open = "SELECT id FROM batches WHERE state IN ('running', 'interrupted') ORDER BY started_at DESC";
    return keep(db.prepare<[], string>(open)).pluck().get();
  });
}

/** Undefined if the index has no tables yet. */
function inCopy<T>({ index }: Place, read: (db: Sqlite.Database) => T): T | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'imgtool-copy-'));
  try {
    for (const end of ['', '-wal'])
      if (existsSync(index + end)) copyFileSync(index + end, join(folder, basename(index) + end));
    const path = join(folder, basename(index));
    if (!existsSync(path)) return undefined;
    const db = keep(new Sqlite(path));
    try {
      const hasTables =
        keep(db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'jobs'")).get() !== undefined;
      return hasTables ? read(db) : undefined;
    } finally {
      db.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function putPhotos(place: Place, { kind, count }: Plan, edition: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    // Each third picture has the bytes of the one before it.
    const n = kind === 'duplicates' && i % 3 === 2 ? i - 1 : i;
    putOld(
      place.at(`photos/${i % 4}/${i}.jpg`),
      commented(await original(n + count * (edition % 2)), `${n} of ${edition}`),
    );
  }
}

/** Pictures by seed. Each is drawn once. */
const originals = new Map<number, Promise<Buffer>>();
function original(seed: number): Promise<Buffer> {
  const size = 200 + 40 * (seed % 13);
  const made = originals.get(seed) ?? picture({ seed, width: size, height: size - 50 });
  originals.set(seed, made);
  return made;
}

/** Digests of the files under final names. */
function outputsNow(place: Place): Map<string, string> {
  const names = existsSync(place.at('out')) ? filesBelow(place.at('out')) : [];
  return new Map(
    names.filter((name) => !STAGED.test(name)).map((name) => [name, hashOf(place.at('out', name))]),
  );
}
