import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import { checkOutputs, makeAgain } from '../../../src/core/verify/fix.ts';
import { verify } from '../../../src/core/verify/verify.ts';
import { ImgtoolError } from '../../../src/errors.ts';
import type { Event } from '../../../src/model.ts';
import type { Renderer, Storage } from '../../../src/ports.ts';
import { failure, finishedOf, rendererWith, type Workshop } from '../made-up.ts';
import { FINE, never, openVerification, type Verification } from './verifying.ts';

let all: Verification;
let workshop: Workshop;
beforeEach(async () => {
  all = await openVerification();
  workshop = all.workshop;
});
const fixing: Verification['fixing'] = (...over) => all.fixing(...over);
const out = (name: string) => all.out(name);

describe('making wrong outputs again', () => {
  const wrong = async (...names: string[]) => {
    for (const name of names) rmSync(out(name));
    return (await verify(fixing(), {}, never())).wrong;
  };

  it('makes only the wrong outputs, in one batch', async () => {
    const before = workshop.outputs();
    const { remade, unfinished } = await makeAgain(fixing(), await wrong('a', 'c'), never());
    expect([[...remade.values()], unfinished, all.batches()]).toEqual([[null, null], undefined, 1]);
    expect(all.rendered).toEqual([workshop.at('photos/a.jpg'), workshop.at('photos/c.jpg')]);
    expect(workshop.outputs()).toEqual(before);
  });

  it('reports an output whose batch is no longer in the history', async () => {
    const found = await wrong('a');
    await workshop.index.prune(Date.now() + 1_000);
    const { remade } = await makeAgain(fixing(), found, never());
    expect([...remade.values()]).toMatchObject([
      { code: 'unknown_batch', message: 'no batch is kept that made it' },
    ]);
    expect(workshop.outputs()).toHaveLength(3);
  });

  it('lets the next run make wrong outputs again whose batch is no longer in the history', async () => {
    const bad = fixing({}, async () => ({ ...FINE, metadata: ['xmp'] }));
    const { wrong: found } = await verify(bad, {}, never());
    await workshop.index.prune(Date.now() + 1_000);
    const { remade } = await makeAgain(bad, found, never());
    expect([...remade.values()].map((one) => one?.code)).toEqual(found.map(() => 'unknown_batch'));
    expect(finishedOf(await workshop.run()).counts).toMatchObject({ completed: 4, unchanged: 0 });
  });

  it('reports outputs that are still wrong after they were made again', async () => {
    const bad = fixing({}, async () => ({ ...FINE, metadata: ['xmp'] }));
    const { wrong: found } = await verify(bad, {}, never());
    expect(found).toHaveLength(4);
    const { remade } = await makeAgain(bad, found, never());
    expect([...remade.values()]).toMatchObject(
      found.map(() => ({ message: 'was not put in order: metadata: carries xmp' })),
    );
    expect(all.rendered).toHaveLength(4);
  });

  it('continues with other outputs when a folder is not writable, and stops after a fatal error', async () => {
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

  it('returns the batch that could not finish', async () => {
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
    const { remade, unfinished } = await makeAgain(full, found, never());
    expect(unfinished?.state).toBe('interrupted');
    expect([...remade.values()].every((one) => one !== null)).toBe(true);
  });

  it('makes no output in a folder that may be unmounted, and replaces no foreign file', async () => {
    const found = await wrong('a');
    const { storage } = fixing();
    const lackOf: Storage['lackOf'] = async (folder) => (folder === workshop.at('out') ? 'is empty' : null);
    const wanting = fixing({ storage: { ...storage, lackOf } });
    const { remade, madeIn } = await makeAgain(wanting, found, never(), false);
    expect([[...remade.values()], madeIn]).toMatchObject([
      [{ message: expect.stringContaining('out is empty: its disk may not be mounted') }],
      [],
    ]);
    mkdirSync(out('a'));
    const { wrong: taken } = await verify(fixing(), {}, never());
    const left = await makeAgain(fixing(), taken, never());
    expect([[...left.remade.values()], all.batches()]).toMatchObject([[{ code: 'output_exists' }], 0]);
  });

  it('reports a failure in the result of its output, not as an event', async () => {
    const events: Event[] = [];
    const found = await wrong('a', 'b');
    const broken = fixing({
      async open() {
        const renderer = rendererWith((source) => {
          if (source.endsWith('a.jpg')) throw failure('corrupt');
        });
        const { ports } = await workshop.prepare('process', {}, { renderer });
        return { ports, emit: (event) => void events.push(event), close() {} };
      },
    });
    const { remade, madeIn } = await makeAgain(broken, found, never());
    expect([...remade.values()]).toMatchObject([{ code: 'corrupt' }, null]);
    const finished = finishedOf(events);
    expect([madeIn, finished.counts]).toMatchObject([[finished.batch], { completed: 1, failed: 1 }]);
    expect(events.filter((event) => event.type === 'job' && event.state === 'failed')).toEqual([]);
  });

  it('returns the outputs made so far when it is stopped', async () => {
    const stop = new AbortController();
    const found = await wrong('a', 'b', 'c', 'd');
    const aborted = new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
    const slow = fixing({
      async open() {
        const instant = rendererWith(() => {});
        const renderer: Renderer = {
          ...instant,
          async open(source, ...limits) {
            if (source.path.endsWith('c.jpg')) await aborted;
            return instant.open(source, ...limits);
          },
        };
        const { ports } = await workshop.prepare('process', { jobs: 1 }, { renderer });
        const emit = (event: Event) => void (event.type === 'job' && stop.abort());
        return { ports, emit, close() {} };
      },
      machine: { jobs: 1, memory: 1e9, memoryCap: 1e9, limits: {} },
    });
    const { remade } = await makeAgain(slow, found, stop.signal);
    // The third picture was in work at the stop, and finished.
    expect([...remade.values()].map((one) => one?.code ?? 'made')).toEqual([
      'made',
      'made',
      'made',
      'cancelled',
    ]);
  });

  it('reports no output as correct when it is stopped before its start', async () => {
    const stop = new AbortController();
    const found = await wrong('a');
    stop.abort();
    const { remade } = await makeAgain(fixing(), found, stop.signal);
    expect([[...remade.values()].map((one) => one?.code), all.batches()]).toEqual([['cancelled'], 0]);
  });

  it.each(['while the wrong outputs are decoded once more', 'when the check is complete'])(
    'leaves a file that is put in the place of a damaged output %s',
    async (moment) => {
      const [path, isEarly] = [out('a'), moment.startsWith('while')];
      truncateSync(path, 1);
      let looks = 0;
      const inspect = async (one: string) => {
        if (one !== path) return FINE;
        looks++;
        if (isEarly && looks === 2) writeFileSync(path, 'mine');
        throw failure('corrupt');
      };
      const missing = async () => {
        if (!isEarly && readFileSync(path, 'utf8') !== 'mine') writeFileSync(path, 'mine');
        return [];
      };
      const sources = { gone: async () => [], missing };
      const scope = { named: [{ given: 'out', path: workshop.at('out'), near: undefined }] };
      const { verified } = await checkOutputs(fixing({ sources }, inspect), scope, true, never());
      expect([...verified.remade!.values()]).toMatchObject([
        { message: expect.stringContaining('was not put in order') },
      ]);
      expect(readFileSync(path, 'utf8')).toBe('mine');
    },
  );

  it.each(['timeout', 'out_of_memory', 'worker_crashed', 'too_large'] as const)(
    'leaves an edit whose decoding fails with %s, if nobody named it',
    async (code) => {
      writeFileSync(out('a'), 'mine');
      const inspect = async (path: string) => {
        if (path === out('a')) throw failure(code);
        return FINE;
      };
      const { verified } = await checkOutputs(fixing({}, inspect), {}, true, never());
      expect([...verified.remade!.values()]).toMatchObject([{ code: 'output_exists' }]);
      expect([verified.edited, readFileSync(out('a'), 'utf8')]).toEqual([1, 'mine']);
    },
  );
});
