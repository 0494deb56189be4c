import { rmSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { openLocalStorage } from '../../src/adapters/local-storage.ts';
import { verify } from '../../src/core/verify.ts';
import { type Fixing, makeAgain } from '../../src/core/verify-fix.ts';
import { ImgtoolError, writeError } from '../../src/errors.ts';
import type { Verified } from '../../src/model/verified.ts';
import type { Inspected } from '../../src/model.ts';
import type { Renderer } from '../../src/ports.ts';
import { failure, finishedOf, openWorkshop, rendererWith, type Workshop } from './made-up.ts';

const FINE: Inspected = { format: 'webp', width: 40, height: 30, metadata: [] };

let workshop: Workshop;
let rendered: string[];
let batches: number;
beforeEach(async () => {
  rendered = [];
  batches = 0;
  workshop = await openWorkshop((source) => rendered.push(source));
  workshop.put('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg');
  await workshop.run();
  rendered = [];
});

const never = () => new AbortController().signal;
const out = (name: string) => workshop.at(`out/${name}_small.webp`);

/** What looks, and makes again, with parts of it replaced. */
const fixing = (over: Partial<Fixing> = {}, inspect?: Renderer['inspect']): Fixing => ({
  ...{ index: workshop.index, storage: openLocalStorage('0000'), jobs: 2, timeout: 1_000 },
  renderer: { ...rendererWith(() => {}), ...(inspect === undefined ? {} : { inspect }) },
  progress: { told() {}, close() {} },
  means: { jobs: 1, memory: 1_000_000, limits: {} },
  async open() {
    batches++;
    const { ports } = await workshop.prepare('process');
    return { ports, emit() {}, close() {} };
  },
  ...over,
});
const wordsOf = ({ wrong }: Pick<Verified, 'wrong'>) =>
  Object.fromEntries(
    wrong.map(({ record, problems }) => [
      record.path.slice(workshop.at('out/').length)[0],
      problems.map(({ problem }) => problem),
    ]),
  );

describe('looking at all outputs', () => {
  it('looks at as many at a time as it may, and tells how far it has come', async () => {
    let most = 0;
    const told: number[] = [];
    const held: (() => void)[] = [];
    const inspect = async () => {
      const released = new Promise<void>((resolve) => held.push(resolve));
      most = Math.max(most, held.length);
      // The second lets both go, after turns enough for a third to come.
      if (held.length === 2) {
        for (let turn = 0; turn < 200; turn++) await breathe();
        for (const letGo of held.splice(0)) letGo();
      }
      await released;
      return FINE;
    };
    const progress = {
      told: (verified: number) => void told.push(verified),
      close: () => void told.push(-1),
    };
    const { verified, wrong } = await verify(fixing({ progress }, inspect), undefined, never());
    expect({ verified, wrong, most, told }).toEqual({
      verified: 4,
      wrong: [],
      most: 2,
      told: [1, 2, 3, 4, -1],
    });
  });

  it('names all that is wrong with one, by path', async () => {
    const inspect = async (path: string): Promise<Inspected> => {
      if (path === out('d')) throw failure('corrupt');
      if (path === out('b')) return { ...FINE, height: 31, metadata: ['exif', 'icc'] };
      return FINE;
    };
    const found = await verify(fixing({}, inspect), undefined, never());
    expect(found.wrong.map(({ record, problems }) => [record.path, problems])).toEqual([
      [
        out('b'),
        [
          { problem: 'different', message: 'is a webp of 40x31, not a webp of 40x30' },
          { problem: 'metadata', message: 'carries exif, icc' },
        ],
      ],
      [out('d'), [{ problem: 'undecodable', message: 'corrupt, as asked' }]],
    ]);
  });

  it('looks again at what is found wrong, since a run may just have been replacing it', async () => {
    const storage = openLocalStorage('0000');
    let looks = 0;
    const stat: typeof storage.stat = async (paths) =>
      paths[0] === out('b') && looks++ === 0 ? [null] : storage.stat(paths);
    expect(await verify(fixing({ storage: { ...storage, stat } }), undefined, never())).toMatchObject({
      verified: 4,
      wrong: [],
    });
    expect(looks).toBe(2);
  });

  it('does not call an output wrong that was forgotten meanwhile', async () => {
    const inspect = async (path: string): Promise<Inspected> => {
      if (path === out('b')) {
        rmSync(path, { force: true });
        await workshop.index.forget(workshop.at('photos/b.jpg'), [path], []);
        throw failure('source_missing');
      }
      return FINE;
    };
    expect((await verify(fixing({}, inspect), undefined, never())).wrong).toEqual([]);
  });

  it('tries again where a child ended by itself, and gives up after three times', async () => {
    const tries: Record<string, number> = {};
    const inspect = async (path: string): Promise<Inspected> => {
      tries[path] = (tries[path] ?? 0) + 1;
      if (path === out('a') && tries[path] < 3) throw failure('worker_crashed');
      if (path === out('b')) throw failure('worker_crashed');
      if (path === out('c')) throw failure('timeout');
      return FINE;
    };
    const found = await verify(fixing({}, inspect), undefined, never());
    expect(wordsOf(found)).toEqual({ b: ['undecodable'], c: ['undecodable'] });
    // Once more each for those that stay wrong.
    expect([tries[out('a')], tries[out('b')], tries[out('c')]]).toEqual([3, 6, 2]);
  });

  it('says which cannot be read, and why', async () => {
    const storage = openLocalStorage('0000');
    const denied = Object.assign(new Error('denied'), { code: 'EACCES' });
    const checksum: typeof storage.checksum = async (path) => {
      if (path === out('c')) throw writeError(denied, path);
      return storage.checksum(path);
    };
    const found = await verify(fixing({ storage: { ...storage, checksum } }), undefined, never());
    expect(found.wrong.map(({ problems }) => problems)).toEqual([
      [{ problem: 'unreadable', message: 'cannot be read (EACCES)' }],
    ]);
    const { remade } = await makeAgain(fixing({ storage: { ...storage, checksum } }), found.wrong, never());
    expect([...remade.values()]).toMatchObject([{ message: 'what cannot be read is not replaced' }]);
    expect(batches).toBe(0);
  });

  it('stops at once when it is told to', async () => {
    const stop = new AbortController();
    let killed = 0;
    const renderer: Renderer = {
      ...rendererWith(() => {}),
      inspect: async () => {
        stop.abort();
        throw failure('cancelled');
      },
      kill: () => void killed++,
    };
    const found = await verify(fixing({ renderer }), undefined, stop.signal);
    expect([found, killed]).toEqual([{ batch: null, verified: 0, wrong: [], isStopped: true }, 1]);
  });

  it('ends with an error of the index', async () => {
    const lookup = async () => {
      throw failure('index_unusable');
    };
    rmSync(out('a'));
    const broken = fixing({ index: { ...workshop.index, lookup } });
    await expect(verify(broken, undefined, never())).rejects.toMatchObject({ code: 'index_unusable' });
  });
});

describe('making outputs again', () => {
  const wrong = async (...names: string[]) => {
    for (const name of names) rmSync(out(name));
    return (await verify(fixing(), undefined, never())).wrong;
  };

  it('makes those and no others, in one batch', async () => {
    const before = workshop.outputs();
    const { remade, exit } = await makeAgain(fixing(), await wrong('a', 'c'), never());
    expect([[...remade.values()], exit, batches]).toEqual([[null, null], undefined, 1]);
    expect(rendered).toEqual([workshop.at('photos/a.jpg'), workshop.at('photos/c.jpg')]);
    expect(workshop.outputs()).toEqual(before);
  });

  it('says so where no batch is kept that made it', async () => {
    const found = await wrong('a');
    await workshop.index.prune(Date.now() + 1_000);
    const { remade } = await makeAgain(fixing(), found, never());
    expect([...remade.values()]).toMatchObject([
      { code: 'unknown_batch', message: 'no batch is kept that made it' },
    ]);
    expect(workshop.outputs()).toHaveLength(3);
  });

  it('lets the next run make those again that no batch is kept of, though no stat tells that they are wrong', async () => {
    const bad = fixing({}, async () => ({ ...FINE, metadata: ['xmp'] }));
    const { wrong: found } = await verify(bad, undefined, never());
    await workshop.index.prune(Date.now() + 1_000);
    const { remade } = await makeAgain(bad, found, never());
    expect([...remade.values()].map((one) => one?.code)).toEqual(found.map(() => 'unknown_batch'));
    expect(finishedOf(await workshop.run()).counts).toMatchObject({ completed: 4, unchanged: 0 });
  });

  it('says so where the record is right and what is made is wrong', async () => {
    const bad = fixing({}, async () => ({ ...FINE, metadata: ['xmp'] }));
    const { wrong: found } = await verify(bad, undefined, never());
    expect(found).toHaveLength(4);
    const { remade } = await makeAgain(bad, found, never());
    expect([...remade.values()]).toMatchObject(
      found.map(() => ({ message: 'was not put in order: metadata: carries xmp' })),
    );
    expect(rendered).toHaveLength(4);
  });

  it('goes on with other outputs where a place cannot be written to, and not with a full disk', async () => {
    const found = await wrong('a', 'b');
    const denied = fixing({
      async open() {
        throw new ImgtoolError('not_writable', 'out: may not be written (EACCES)');
      },
    });
    expect([...(await makeAgain(denied, found, never())).remade.values()]).toMatchObject([
      { code: 'not_writable' },
      { code: 'not_writable' },
    ]);
    const full = fixing({
      async open() {
        throw failure('index_unusable');
      },
    });
    await expect(makeAgain(full, found, never())).rejects.toMatchObject({ code: 'index_unusable' });
  });

  it('ends as the batch did that could not go on', async () => {
    const found = await wrong('a', 'b');
    const storage = openLocalStorage('0001');
    const full = fixing({
      async open() {
        const stage = async () => {
          throw failure('no_space');
        };
        const { ports } = await workshop.prepare('process', {}, { storage: { ...storage, stage } });
        return { ports, emit() {}, close() {} };
      },
    });
    const { remade, exit } = await makeAgain(full, found, never());
    expect([exit, [...remade.values()].every((one) => one !== null)]).toEqual([3, true]);
  });

  it('says of none that it is in order when it was stopped', async () => {
    const stop = new AbortController();
    const found = await wrong('a');
    stop.abort();
    const { remade } = await makeAgain(fixing(), found, stop.signal);
    expect([[...remade.values()].map((one) => one?.code), batches]).toEqual([['cancelled'], 0]);
  });
});
