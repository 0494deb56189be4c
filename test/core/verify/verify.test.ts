import { rmSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import { makeAgain } from '../../../src/core/verify/fix.ts';
import { verify } from '../../../src/core/verify/verify.ts';
import { readError } from '../../../src/errors.ts';
import type { Renderer } from '../../../src/ports.ts';
import { failure, rendererWith, type Workshop } from '../made-up.ts';
import { type Decoded, FINE, never, openVerification, type Verification } from './verifying.ts';

let all: Verification;
let workshop: Workshop;
beforeEach(async () => {
  all = await openVerification();
  workshop = all.workshop;
});
const fixing: Verification['fixing'] = (...over) => all.fixing(...over);
const out = (name: string) => all.out(name);

describe('the check of all outputs', () => {
  it('checks as many outputs at a time as allowed, and reports its progress', async () => {
    let most = 0;
    const reported: number[] = [];
    const held: (() => void)[] = [];
    const inspect = async () => {
      const released = new Promise<void>((resolve) => held.push(resolve));
      most = Math.max(most, held.length);
      // The second call releases both, after enough turns for a third call.
      if (held.length === 2) {
        for (let turn = 0; turn < 200; turn++) await breathe();
        for (const letGo of held.splice(0)) letGo();
      }
      await released;
      return FINE;
    };
    const progress = {
      report: (verified: number) => void reported.push(verified),
      close: () => void reported.push(-1),
    };
    const { verified, wrong } = await verify(fixing({ progress }, inspect), {}, never());
    expect({ verified, wrong, most, reported }).toEqual({
      verified: 4,
      wrong: [],
      most: 2,
      reported: [1, 2, 3, 4, -1],
    });
  });

  it('lists all problems of each output, ordered by path', async () => {
    const inspect = async (path: string): Promise<Decoded> => {
      if (path === out('d')) throw failure('corrupt');
      if (path === out('b')) return { ...FINE, height: 31, metadata: ['exif', 'icc'] };
      return FINE;
    };
    const found = await verify(fixing({}, inspect), {}, never());
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

  it('checks wrong outputs again, because a run may be replacing them', async () => {
    const storage = openLocalStorage('0000');
    let looks = 0;
    const stat: typeof storage.stat = async (paths) =>
      paths[0] === out('b') && looks++ === 0 ? [null] : storage.stat(paths);
    expect(await verify(fixing({ storage: { ...storage, stat } }), {}, never())).toMatchObject({
      verified: 4,
      wrong: [],
    });
    expect(looks).toBe(2);
  });

  it('does not report an output that was forgotten during the check', async () => {
    const inspect = async (path: string): Promise<Decoded> => {
      if (path === out('b')) {
        rmSync(path, { force: true });
        await workshop.index.forget(workshop.at('photos/b.jpg'), [path], [], true);
        throw failure('source_missing');
      }
      return FINE;
    };
    expect((await verify(fixing({}, inspect), {}, never())).wrong).toEqual([]);
  });

  it('tries again after a crash of a child process, and gives up after three attempts', async () => {
    const tries: Record<string, number> = {};
    const inspect = async (path: string): Promise<Decoded> => {
      tries[path] = (tries[path] ?? 0) + 1;
      if (path === out('a') && tries[path] < 3) throw failure('worker_crashed');
      if (path === out('b')) throw failure('worker_crashed');
      if (path === out('c')) throw failure('timeout');
      return FINE;
    };
    const found = await verify(fixing({}, inspect), {}, never());
    expect(all.wordsOf(found)).toEqual({ b: ['undecodable'], c: ['undecodable'] });
    // The second check of wrong outputs adds its own attempts.
    expect([tries[out('a')], tries[out('b')], tries[out('c')]]).toEqual([3, 6, 2]);
  });

  it('reports unreadable outputs with the reason', async () => {
    const inspect = async (path: string): Promise<Decoded> => {
      if (path === out('c')) throw readError(Object.assign(new Error('denied'), { code: 'EACCES' }));
      return FINE;
    };
    const found = await verify(fixing({}, inspect), {}, never());
    expect(found.wrong.map(({ problems }) => problems)).toEqual([
      [{ problem: 'unreadable', message: 'cannot be read (EACCES)' }],
    ]);
    const { remade } = await makeAgain(fixing({}, inspect), found.wrong, never());
    expect([...remade.values()]).toMatchObject([{ message: 'what cannot be read is not replaced' }]);
    expect(all.batches()).toBe(0);
  });

  it('reads each sound output once, and a damaged one once more for its checksum', async () => {
    const storage = openLocalStorage('0000');
    const read: string[] = [];
    const checksum: typeof storage.checksum = async (path) => {
      read.push(path);
      return storage.checksum(path);
    };
    const inspect = async (path: string): Promise<Decoded> => {
      if (path === out('d')) throw failure('corrupt');
      return FINE;
    };
    await verify(fixing({ storage: { ...storage, checksum } }, inspect), {}, never());
    // Wrong outputs are checked twice.
    expect(read).toEqual([out('d'), out('d')]);
  });

  it('stops at once when its signal aborts', async () => {
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
    const found = await verify(fixing({ renderer }), {}, stop.signal);
    expect([found, killed]).toEqual([{ batch: null, verified: 0, wrong: [], isStopped: true }, 1]);
  });

  it('ends with an error of the index', async () => {
    const lookup = async () => {
      throw failure('index_unusable');
    };
    rmSync(out('a'));
    const broken = fixing({ index: { ...workshop.index, lookup } });
    await expect(verify(broken, {}, never())).rejects.toMatchObject({ code: 'index_unusable' });
  });
});
