import { beforeEach, describe, expect, it } from 'vitest';
import { openSettling, type Settling } from '../../../src/core/watch/settling.ts';
import type { SourceFacts } from '../../../src/model.ts';
import type { FoundSource } from '../../../src/ports.ts';
import { type MadeUpClock, makeClock } from '../made-up-clock.ts';

const SETTLE = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

let clock: MadeUpClock;
let settling: Settling;
/** The existing files by path. */
let disk: Map<string, SourceFacts>;
let looks: string[][];
let settled: FoundSource[][];
let restless: string[];
let lost: string[];
/** Is called during a check of files. */
let onLook: () => void;
beforeEach(() => {
  clock = makeClock();
  disk = new Map();
  looks = [];
  settled = [];
  restless = [];
  lost = [];
  onLook = () => {};
  settling = openSettling({
    settle: SETTLE,
    clock,
    async statAll(paths) {
      looks.push([...paths]);
      const facts = paths.map((path) => disk.get(path) ?? null);
      onLook();
      return facts;
    },
    lost: ({ source }) => lost.push(source),
    restless: ({ source }) => restless.push(source),
  });
});

/** Lets this many milliseconds pass, and checks files whenever a check is due. */
async function advance(milliseconds: number, files = settling): Promise<void> {
  const end = clock.now() + milliseconds;
  while (clock.now() + files.left() <= end) {
    await clock.advance(files.left());
    const found = await files.check();
    if (found.length > 0) settled.push(found);
  }
  await clock.advance(end - clock.now());
}

const taken = () => settled.flat().map(({ source }) => source);

/** Writes a file to the disk, and offers it. */
function write(source: string, over: Partial<SourceFacts> = {}): FoundSource {
  disk.set(source, { size: 10, mtime: '1', ino: '1', ctime: '1', ...over });
  const found = offered(source);
  settling.offer(found);
  return found;
}

function offered(source: string): FoundSource {
  return { type: 'found', source, given: source, relative: source, facts: disk.get(source) ?? null };
}

describe('a file that may still be written', () => {
  it('is taken exactly after it stays unchanged for the settle time', async () => {
    const found = write('a');
    await advance(SETTLE - 1);
    expect([settled, settling.size]).toEqual([[], 1]);
    await advance(1);
    expect([settled, settling.size, settling.left()]).toEqual([[[found]], 0, NEVER]);
  });

  it.each([
    ['size', { size: 11 }],
    ['mtime', { mtime: '2' }],
    ['inode', { ino: '2' }],
  ] as const)(
    'starts to settle again when its %s changes, and is taken with the new facts',
    async (_, change) => {
      write('a');
      await advance(SETTLE - 1);
      disk.set('a', { ...disk.get('a')!, ...change });
      await advance(1);
      expect([taken(), settling.size]).toEqual([[], 1]);
      await advance(SETTLE - 1);
      expect(taken()).toEqual([]);
      await advance(1);
      expect(settled.flat()).toEqual([offered('a')]);
    },
  );

  it('starts to settle again at the moment of a reported change', async () => {
    write('a');
    await advance(600);
    write('a', { size: 11 });
    await advance(SETTLE - 1);
    expect(taken()).toEqual([]);
    await advance(1);
    expect(settled.flat()).toEqual([offered('a')]);
  });

  it('does not start to settle again when it is offered unchanged', async () => {
    write('a');
    await advance(SETTLE - 1);
    write('a');
    await advance(1);
    expect(taken()).toEqual(['a']);
  });

  it('is reported as lost when it is gone or no longer a file', async () => {
    write('a');
    disk.delete('a');
    await advance(SETTLE);
    expect([lost, taken(), settling.size]).toEqual([['a'], [], 0]);
  });

  it('is forgotten when it is gone, and taken when it comes back', async () => {
    write('a');
    disk.delete('a');
    await advance(SETTLE);
    expect([taken(), settling.size, settling.left()]).toEqual([[], 0, NEVER]);
    write('a');
    await advance(SETTLE);
    expect(taken()).toEqual(['a']);
  });

  it('is forgotten when it is dropped', async () => {
    write('a');
    settling.drop('a');
    expect(settling.size).toBe(0);
    await advance(2 * SETTLE);
    expect(taken()).toEqual([]);
  });

  it('starts to settle again when it is offered with a change during a check', async () => {
    write('a');
    onLook = () => {
      onLook = () => {};
      write('a', { size: 11 });
    };
    await advance(SETTLE);
    expect([taken(), settling.size]).toEqual([[], 1]);
    await advance(SETTLE);
    expect(settled.flat()).toEqual([offered('a')]);
  });

  it('is known only while it is settling with the same facts', async () => {
    write('a');
    const facts = disk.get('a')!;
    expect([settling.has('a', facts), settling.has('a', { ...facts, size: 11 })]).toEqual([true, false]);
    expect(settling.has('b', facts)).toBe(false);
    await advance(SETTLE);
    expect(settling.has('a', facts)).toBe(false);
  });

  it('does not settle when it has no facts', () => {
    settling.offer({ ...offered('a'), facts: null });
    expect([settling.size, settling.left()]).toEqual([0, NEVER]);
  });

  it('is reported once when it does not settle within five seconds, and is taken when it settles', async () => {
    write('a');
    for (let size = 11; size < 30; size++) {
      await advance(500);
      write('a', { size });
      expect(restless).toEqual(clock.now() - 1_000 > 5_000 ? ['a'] : []);
    }
    await advance(SETTLE);
    expect([taken(), restless]).toEqual([['a'], ['a']]);
  });

  it('may be dropped when it is reported as restless', async () => {
    const dropping = openSettling({
      ...{ settle: 3_000, clock },
      statAll: async (paths) => paths.map((path) => disk.get(path) ?? null),
      lost: () => {},
      restless({ source }) {
        restless.push(source);
        dropping.drop(source);
      },
    });
    disk.set('a', { size: 1, mtime: '1', ino: '1', ctime: '1' });
    dropping.offer(offered('a'));
    for (let size = 2; size < 8; size++) {
      disk.set('a', { size, mtime: '1', ino: '1', ctime: '1' });
      await advance(3_000, dropping);
    }
    // Four settle times, because these are longer than five seconds.
    expect([restless, dropping.size, taken(), dropping.left()]).toEqual([['a'], 0, [], NEVER]);
  });
});

describe('files that may still be written', () => {
  it('are checked and taken together when they arrive together', async () => {
    for (const name of ['a', 'b', 'c']) write(name);
    await advance(SETTLE);
    expect(looks).toEqual([['a', 'b', 'c']]);
    expect(settled).toHaveLength(1);
    expect(taken()).toEqual(['a', 'b', 'c']);
  });

  it('are taken one by one when they arrive one after the other', async () => {
    write('a');
    await advance(400);
    write('b');
    await advance(SETTLE - 400);
    expect(taken()).toEqual(['a']);
    await advance(399);
    expect(taken()).toEqual(['a']);
    await advance(1);
    expect(taken()).toEqual(['a', 'b']);
  });

  it('do not wait for a file that keeps changing', async () => {
    write('a');
    write('b');
    for (let size = 11; size < 20; size++) {
      await advance(SETTLE / 2);
      write('a', { size });
    }
    expect(taken()).toEqual(['b']);
  });

  it('are checked a few hundred at a time when thousands arrive at once', async () => {
    const names = Array.from({ length: 2_000 }, (_, i) => `${i}`);
    for (const name of names) write(name);
    await advance(SETTLE);
    expect(Math.max(...looks.map(({ length }) => length))).toBeLessThanOrEqual(256);
    expect(taken()).toEqual(names);
  });

  it('are not taken when they are dropped during a check', async () => {
    write('a');
    onLook = () => settling.drop('a');
    await advance(2 * SETTLE);
    expect([taken(), lost]).toEqual([[], []]);
  });
});
