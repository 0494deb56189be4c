import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model.ts';
import { filesBelow, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

/** As it was built: its children are started from dist. */
const { ImgtoolError, openEngine, processImages } = (await import(
  new URL('../../dist/index.js', import.meta.url).href
)) as typeof import('../../src/index.ts');

describe('processImages', () => {
  let place: Place;
  let sources: Sources;
  const options = () => {
    return { cwd: place.cwd, index: place.index, out: 'out', variants: ['a:w=40', { name: 'b', width: 20 }] };
  };
  const outputs = () => filesBelow(place.at('out'));
  const all = async (events: AsyncIterable<Event>) => {
    const list: Event[] = [];
    for await (const event of events) list.push(event);
    return list;
  };
  const putMany = async (count: number) => {
    const one = await noise(400, 300);
    for (let i = 0; i < count; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
    sources = sourcesOf(place, 'photos');
  };
  beforeEach(() => {
    place = openPlace();
  });

  it('yields events, with `batch.finished` as the last one', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    place.put('photos/bad.jpg', 'text');
    const events = await all(processImages('photos', options()));
    expect(events.find(({ type }) => type !== 'walk')).toMatchObject({ type: 'batch.started', total: 2 });
    expect(events.at(-1)).toMatchObject({
      type: 'batch.finished',
      state: 'finished',
      counts: { completed: 1, failed: 1 },
    });
    const jobs = events.filter((event) => event.type === 'job');
    expect(jobs.map(({ source, state }) => [source, state]).sort()).toEqual([
      ['photos/a.jpg', 'completed'],
      ['photos/bad.jpg', 'failed'],
    ]);
    expect(outputs()).toEqual(['a_a.webp', 'a_b.webp']);
    const again = await all(processImages(['photos/a.jpg'], options()));
    expect(again.at(-1)).toMatchObject({ state: 'finished', counts: { completed: 0, unchanged: 1 } });
  });

  it('takes the base of names as an option, and names it in a warning', async () => {
    for (const [i, name] of ['a/x', 'b/y'].entries()) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
    }
    const files = ['photos/a/x.jpg', 'photos/b/y.jpg'];
    const warningsOf = async (base?: string) =>
      (await all(processImages(files, { ...options(), ...(base === undefined ? {} : { base }) }))).flatMap(
        (event) => (event.type === 'warning' ? [event.fix] : []),
      );
    expect(await warningsOf()).toEqual(["base: 'photos' keeps the folders"]);
    expect(outputs()).toEqual(['x_a.webp', 'x_b.webp', 'y_a.webp', 'y_b.webp']);
    expect(await warningsOf('photos')).toEqual([]);
    expect(outputs().slice(0, 4)).toEqual(['a/x_a.webp', 'a/x_b.webp', 'b/y_a.webp', 'b/y_b.webp']);
  });

  it('mirrors folders, and refuses other inputs', async () => {
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
    }
    await all(processImages('photos', options()));
    rmSync(place.at('photos/a.jpg'));
    const removals = (events: readonly Event[]) => events.filter(({ type }) => type === 'removed');
    const removed = { type: 'removed', source: 'photos/a.jpg', paths: ['out/a_a.webp', 'out/a_b.webp'] };
    const dry = await all(processImages('photos', { ...options(), mirror: true, dryRun: true }));
    expect(removals(dry)).toMatchObject([{ ...removed, dryRun: true }]);
    expect(outputs()).toHaveLength(6);
    const refused = all(processImages('photos/b.jpg', { ...options(), mirror: 'all' }));
    await expect(refused).rejects.toMatchObject({
      code: 'usage',
      fix: 'name its folder, or leave out mirror; mirror: false overrides a settings file',
    });
    const real = await all(processImages('photos', { ...options(), mirror: true }));
    expect(removals(real)).toMatchObject([removed]);
    expect(outputs()).toEqual(['b_a.webp', 'b_b.webp', 'c_a.webp', 'c_b.webp']);
  });

  it('keeps metadata, and writes texts and times as the flags do', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const kept = { keep: ['icc'], copyright: '© Anna', artist: 'Anna', times: true };
    await all(processImages('photos', { ...options(), ...kept }));
    const [output, source] = [place.at('out/a_a.webp'), place.at('photos/a.jpg')].map((path) =>
      statSync(path),
    );
    expect(Math.round(output!.mtimeMs)).toBe(Math.round(source!.mtimeMs));
    const flags = ['--copyright', '© Anna', '--artist', 'Anna', '--keep', 'icc', '--times'];
    const again = await place.run([
      ...[
        'process',
        'photos',
        '--json',
        '--out',
        'out',
        '--variant',
        'a:w=40',
        '--variant',
        'b:w=20',
        ...flags,
      ],
    ]);
    expect(again.stdout).toContain('"unchanged":1,');
  });

  it('throws a usage error with an example for each wrong argument', async () => {
    const engine = await openEngine({ cwd: place.cwd, index: place.index });
    const wrong = (value: unknown) => value as never;
    const calls: [() => Promise<unknown>, message: string][] = [
      [() => engine.list(wrong({ limit: 1 })), 'list: expected a whole number from 1, got a mapping'],
      [() => engine.list(-1), 'list: expected a whole number from 1, got -1'],
      [
        () => engine.verify(wrong({ path: ['out'] })),
        'verify: unknown option "path" (did you mean "paths"?)',
      ],
      [() => engine.verify(wrong('out')), 'verify: expected an object with options, got "out"'],
      [() => engine.verify(wrong(null)), 'verify: expected an object with options, got null'],
      [() => engine.verify({ paths: wrong('out') }), 'verify: paths: expected a list of paths, got "out"'],
      [() => engine.verify({ batch: 'last', paths: [] }), 'verify: takes a batch or paths, not both'],
      [() => engine.verify({ signal: wrong(1) }), 'verify: signal: expected an AbortSignal, got 1'],
      [() => engine.status(wrong(undefined)), 'status: expected the id of a batch, or last, got nothing'],
      [() => engine.cancel(wrong(undefined)), 'cancel: expected the id of a batch, or last, got nothing'],
      [
        () => engine.forget(wrong({ paths: ['a'] })),
        'forget: expected a path or a list of paths, got a mapping',
      ],
      [
        () => all(engine.process(wrong(undefined))),
        'process: expected a path or a list of paths, got nothing',
      ],
      [
        () => all(engine.process('photos', wrong(null))),
        'process: expected an object with options, got null',
      ],
      [() => all(engine.watch(wrong([1]))), 'watch: expected a path or a list of paths, got a list'],
      [() => openEngine(wrong('x')), 'openEngine: expected an object with options, got "x"'],
      [() => openEngine({ cwd: wrong(1) }), 'openEngine: cwd: expected a text, got 1'],
      [() => all(processImages('photos', wrong(1))), 'processImages: expected an object with options, got 1'],
    ];
    for (const [call, message] of calls) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ImgtoolError);
      expect(error).toMatchObject({
        code: 'usage',
        fix: expect.stringMatching(/^(for example|use one of:) /),
      });
      expect((error as Error).message).toBe(message);
    }
    await engine.close();
  });

  it('names its own calls in the fix of an error', async () => {
    const engine = await openEngine({ cwd: place.cwd, index: place.index });
    const fixOf = (call: Promise<unknown>) => call.catch((error: unknown) => (error as { fix?: string }).fix);
    expect(await fixOf(engine.status('last'))).toBe("process('<path…>')");
    expect(await fixOf(engine.cancel('ffffffff'))).toBe('list()');
    await engine.close();
  });

  it('checks outputs when the batch is undefined', async () => {
    const engine = await openEngine({ cwd: place.cwd, index: place.index });
    const wanted: object = { batch: undefined, paths: [] };
    expect(await engine.verify(wanted)).toMatchObject({ batch: null, verified: 0 });
    await engine.close();
  });

  it('of an engine opens its index again after it could not be opened', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    mkdirSync(place.index, { recursive: true });
    const engine = await openEngine({ cwd: place.cwd, index: place.index });
    const run = () => all(engine.process('photos', { out: 'out', variants: ['a:w=40'] }));
    await expect(run()).rejects.toMatchObject({ code: 'index_unusable' });
    rmSync(place.index, { recursive: true });
    expect((await run()).at(-1)).toMatchObject({ counts: { completed: 1 } });
    await engine.close();
  });

  it('of an engine forgets what is gone', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const engine = await openEngine({ cwd: place.cwd, index: place.index });
    await all(engine.process('photos', { out: 'out', variants: ['a:w=40'] }));
    rmSync(place.at('photos'), { recursive: true });
    rmSync(place.at('out'), { recursive: true });
    const gone = {
      unclear: [],
      outputs: [place.at('out/a_a.webp')],
      sources: [place.at('photos/a.jpg')],
      kept: [],
    };
    expect(await engine.forget('photos', { dryRun: true })).toEqual({ dryRun: true, ...gone });
    expect(await engine.forget(['photos', 'out'])).toEqual({ dryRun: false, ...gone });
    await expect(engine.forget('photos')).rejects.toMatchObject({ code: 'no_input' });
    await engine.close();
  });

  it('of an engine repairs and forgets nothing where a settings file asks for a dry run', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    await all(processImages('photos', options()));
    place.put('settings.yaml', 'dryRun: true\n');
    place.put('out/a_a.webp', 'no picture');
    const engine = await openEngine({ cwd: place.cwd, index: place.index, config: 'settings.yaml' });
    await expect(engine.verify({ paths: ['out'], fix: true })).rejects.toMatchObject({
      code: 'usage',
      message: 'a repair has no dry run',
    });
    expect(await engine.verify({ paths: ['out'] })).toMatchObject({ verified: 2, wrong: [{}] });
    expect(readFileSync(place.at('out/a_a.webp'), 'utf8')).toBe('no picture');
    for (const folder of ['photos', 'out']) rmSync(place.at(folder), { recursive: true });
    expect(await engine.forget('photos')).toMatchObject({ dryRun: true, outputs: { length: 2 } });
    expect(await engine.forget('photos', { dryRun: false })).toMatchObject({ outputs: { length: 2 } });
    await engine.close();
  });

  it('of an engine leaves an edit in a repair, if it is asked to', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const engine = await openEngine({ cwd: place.cwd, index: place.index });
    await all(engine.process('photos', { out: 'out', variants: ['a:w=40'] }));
    place.put('out/a_a.webp', 'mine');
    const { remade } = await engine.verify({ paths: ['out'], fix: true, keepEdited: true });
    expect([...remade!.values()]).toMatchObject([{ code: 'output_exists' }]);
    expect(readFileSync(place.at('out/a_a.webp'), 'utf8')).toBe('mine');
    await engine.close();
  });

  it('yields the finished variants of an image that takes long', async () => {
    putOld(place.at('photos/a.jpg'), await noise(1_200, 900));
    const variants = ['small:w=30,format=avif', 'whole:w=1200,format=avif'];
    const events = await all(processImages('photos', { ...options(), variants }));
    const of = events.filter(({ type }) => type.startsWith('job'));
    expect(of.map(({ type }) => type).filter((type) => type !== 'job.progress')).toEqual([
      'job.started',
      'job',
    ]);
    const last = of.findLast((event) => event.type === 'job.progress');
    expect(last).toMatchObject({ source: 'photos/a.jpg', done: 2, total: 2, share: 1 });
    expect(last?.bytes).toBe(statSync(place.at('photos/a.jpg')).size);
  });

  it('stops when its signal aborts', async () => {
    await putMany(30);
    const stop = new AbortController();
    const events: Event[] = [];
    for await (const event of processImages('photos', { ...options(), jobs: 1, signal: stop.signal })) {
      events.push(event);
      if (event.type === 'job') stop.abort();
    }
    expect(events.map(({ type }) => type)).toContain('stopping');
    expect(events.at(-1)).toMatchObject({ type: 'batch.finished', state: 'cancelled' });
    expect(outputs().length).toBeLessThan(60);
    await assertInvariants(place, { sources });
  });

  it('goes on after the signal of a check aborts', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const { cwd, index, ...settings } = options();
    const engine = await openEngine({ cwd, index });
    await all(engine.process('photos', settings));
    const stop = new AbortController();
    const { signal } = stop;
    const listen = signal.addEventListener.bind(signal);
    // The check listens when it begins to decode.
    signal.addEventListener = (...given: Parameters<typeof listen>) => {
      listen(...given);
      process.nextTick(() => stop.abort());
    };
    await engine.verify({ signal });
    expect(stop.signal.aborted).toBe(true);
    const again = await all(engine.process('photos', { ...settings, force: true }));
    expect(again.at(-1)).toMatchObject({ state: 'finished', counts: { completed: 1 } });
    await engine.close();
  });

  it('starts nothing if its signal has already aborted', async () => {
    await putMany(3);
    const events = await all(processImages('photos', { ...options(), signal: AbortSignal.abort() }));
    expect(events.at(-1)).toMatchObject({ type: 'batch.finished', state: 'cancelled' });
    expect(events.filter(({ type }) => type === 'job')).toEqual([]);
  });

  it('stops when the caller leaves the loop, and has ended by then', async () => {
    await putMany(30);
    for await (const event of processImages('photos', { ...options(), jobs: 1 })) {
      if (event.type === 'job') break;
    }
    const left = outputs();
    expect(left.length).toBeLessThan(60);
    await assertInvariants(place, { sources });
    expect(outputs()).toEqual(left);
    const again = await all(processImages('photos', options()));
    expect(again.at(-1)).toMatchObject({ state: 'finished', counts: { failed: 0 } });
    await assertInvariants(place, { sources });
  });

  it('stops when the loop throws, and passes on that error', async () => {
    await putMany(10);
    const run = async () => {
      for await (const event of processImages('photos', { ...options(), jobs: 1 })) {
        if (event.type === 'job') throw new Error('of the loop');
      }
    };
    await expect(run()).rejects.toThrow('of the loop');
    await assertInvariants(place, { sources });
  });

  it.each([
    ['a path', 'no_input', 'absent', {}],
    ['a preset', 'config', 'photos', { preset: 'webb' }],
    ['a variant', 'config', 'photos', { variants: ['a:w=none'] }],
    ['jobs', 'config', 'photos', { jobs: -1 }],
    ['an output folder', 'not_writable', 'photos', { out: 'photos/a.jpg' }],
  ] as const)('reports a wrong value for %s as an error with a code', async (_, code, input, wrong) => {
    putOld(place.at('photos/a.jpg'), await picture());
    const failed = await all(processImages(input, { ...options(), ...wrong })).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(ImgtoolError);
    expect(failed).toMatchObject({ code: expect.stringMatching(new RegExp(`^(${code}|usage)$`)) });
  });

  it('reads no settings file unless the caller names one', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    place.put('.imgtoolrc', '{"name": "{name}-from-file-{variant}.{ext}"}');
    await all(processImages('photos', options()));
    expect(outputs()).toEqual(['a_a.webp', 'a_b.webp']);
    await all(processImages('photos', { ...options(), config: '.imgtoolrc', out: 'other' }));
    expect(filesBelow(place.at('other'))).toContain('a-from-file-a.webp');
  });

  it('writes nothing in a dry run', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const events = await all(processImages('photos', { ...options(), dryRun: true }));
    expect(events).toContainEqual(
      expect.objectContaining({
        would: 'render',
        wouldWrite: [join('out', 'a_a.webp'), join('out', 'a_b.webp')],
      }),
    );
    expect(place.files('.')).toEqual(['photos/a.jpg']);
    expect(existsSync(place.index)).toBe(false);
  });

  it('records a batch after a dry run and a check of the same engine', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const { cwd, index, ...settings } = options();
    const engine = await openEngine({ cwd, index });
    await all(engine.process('photos', { ...settings, dryRun: true }));
    expect(await engine.verify()).toMatchObject({ verified: 0 });
    await all(engine.process('photos', settings));
    const dry = await all(engine.process('photos', { ...settings, dryRun: true }));
    expect(dry.at(-1)).toMatchObject({ counts: { unchanged: 1 } });
    expect([(await engine.list()).length, await engine.verify()]).toMatchObject([1, { verified: 2 }]);
    expect(await engine.verify({ paths: ['photos', 'out'] })).toMatchObject({ batch: null, verified: 2 });
    await expect(engine.verify({ paths: ['nowhere'] })).rejects.toMatchObject({ code: 'no_input' });
    await engine.close();
  });
});
