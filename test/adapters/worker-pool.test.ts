import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import type { Renderer } from '../../src/ports.ts';
import { rendererContract } from '../contract/renderer.ts';
import { encoded, file, LIMITS, lopsided, named, scratch, variant } from '../image/pictures.ts';
import { alive, built, childrenOf, endless, workerPath } from './children.ts';

const folder = scratch();
const slow = variant({ format: 'avif', effort: 9, width: 4000 });
let photo: string;
let renderer: Renderer;
let files = 0;

const staged = (): string => join(folder, `staged-${files++}.tmp`);
const pool = (size: number, path = workerPath): Renderer => {
  renderer = createWorkerPool({ size, workerPath: path });
  return renderer;
};

beforeAll(async () => {
  photo = file(folder, await encoded(lopsided(1500, 1000)).jpeg().toBuffer(), 'photo.jpg');
});
afterEach(async () => {
  vi.useRealTimers();
  await renderer.close();
});

rendererContract(pool);

describe('children', () => {
  it('are started on demand, and never outnumber the slots', async () => {
    pool(2);
    expect(childrenOf(process.pid)).toHaveLength(0);
    const opened = await renderer.open(named(photo), LIMITS);
    expect(childrenOf(process.pid)).toHaveLength(1);
    opened.close();
    const all = Array.from({ length: 6 }, async () => {
      const each = await renderer.open(named(photo), LIMITS);
      await each.render([{ variant: variant({ width: 10 }), path: staged() }]);
      each.close();
    });
    await Promise.all(all);
    expect(childrenOf(process.pid)).toHaveLength(2);
    await renderer.close();
    expect(childrenOf(process.pid)).toHaveLength(0);
  });

  it('ignore the signals that a terminal sends to the whole group', async () => {
    const opened = await pool(1).open(named(photo), LIMITS);
    const [child] = childrenOf(process.pid);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(child!, signal);
    const { outputs } = await opened.render([{ variant: variant(), path: staged() }]);
    expect(outputs[0]).toMatchObject({ width: 1200, height: 800 });
    opened.close();
  });

  it('that a Ctrl-C ends during their start are started again', async () => {
    const once = join(folder, 'interrupted');
    const script = `import { existsSync, writeFileSync } from 'node:fs';
      if (!existsSync(${JSON.stringify(once)})) {
        writeFileSync(${JSON.stringify(once)}, '');
        process.kill(process.pid, 'SIGINT');
        await new Promise(() => setInterval(() => {}, 1000));
      }
      await import(${JSON.stringify(workerPath)});`;
    const opened = await pool(1, file(folder, script, 'interrupted.mjs')).open(named(photo), LIMITS);
    expect(existsSync(once)).toBe(true);
    opened.close();
  });

  it('that die while rendering fail only their own picture', async () => {
    pool(1);
    const opened = await renderer.open(named(photo), LIMITS);
    const [child] = childrenOf(process.pid);
    const rendering = opened.render([{ variant: slow, path: staged() }]);
    process.kill(child!, 'SIGKILL');
    await expect(rendering).rejects.toMatchObject({
      code: 'worker_crashed',
      message: expect.stringContaining('SIGKILL'),
      retryable: true,
    });
    opened.close();
    (await renderer.open(named(photo), LIMITS)).close();
  });

  it('that cannot start report the reason', async () => {
    const broken = file(folder, 'throw new Error("no libvips here")', 'broken.mjs');
    await expect(pool(1, broken).open(named(photo), LIMITS)).rejects.toMatchObject({
      code: 'worker_crashed',
      message: expect.stringContaining('exit code 1'),
      cause: expect.objectContaining({ message: expect.stringContaining('no libvips here') }),
    });
  });

  it('are killed during an encode without waiting for its end', async () => {
    const { workerPath, begun } = endless(folder, join(folder, 'staged-'));
    const opened = await pool(1, workerPath).open(named(photo), LIMITS);
    const [child] = childrenOf(process.pid, workerPath);
    const rendering = opened.render([{ variant: variant(), path: staged() }]);
    const ended = expect(rendering).rejects.toMatchObject({ code: 'cancelled' });
    await begun();
    renderer.kill();
    await ended;
    expect(alive(child!)).toBe(false);
  });

  const held = join(folder, 'held.jpg');
  it.each([
    ['open', (signal: AbortSignal) => renderer.open(named(held), LIMITS, [], { signal })],
    ['inspect', (signal: AbortSignal) => renderer.inspect(held, 60_000, signal)],
  ])('are killed when %s is aborted while they read, and the next gets the slot', async (_, read) => {
    copyFileSync(photo, held);
    const { workerPath, begun } = endless(folder, held);
    const aborter = new AbortController();
    pool(1, workerPath);
    const ended = expect(read(aborter.signal)).rejects.toMatchObject({ code: 'cancelled' });
    await begun();
    const [child] = childrenOf(process.pid, workerPath);
    aborter.abort();
    await ended;
    expect(alive(child!)).toBe(false);
    (await renderer.open(named(photo), LIMITS)).close();
  });

  it('are not reused when their picture is closed while it renders', async () => {
    const opened = await pool(1).open(named(photo), LIMITS);
    const [child] = childrenOf(process.pid);
    const rendering = opened.render([{ variant: slow, path: staged() }]);
    opened.close();
    await expect(rendering).rejects.toMatchObject({ code: 'cancelled' });
    (await renderer.open(named(photo), LIMITS)).close();
    expect(childrenOf(process.pid)).not.toContain(child);
  });
});

describe('the deadline', () => {
  it('ends a picture that takes too long, and the next gets a new child', async () => {
    const path = staged();
    // The child starts before the deadline counts.
    (await pool(1).open(named(photo), LIMITS)).close();
    const opened = await renderer.open(named(photo), { ...LIMITS, timeout: 2000 });
    await expect(opened.render([{ variant: slow, path }])).rejects.toMatchObject({
      code: 'timeout',
      message: 'took longer than 2 s',
      fix: expect.stringContaining('{{timeout}}'),
    });
    opened.close();
    expect(existsSync(path)).toBe(false);
    (await renderer.open(named(photo), LIMITS)).close();
  });

  it('counts a late tick once, so that a suspended laptop times nothing out', async () => {
    // The child starts before the deadline counts.
    (await pool(1).open(named(photo), LIMITS)).close();
    const opened = await renderer.open(named(photo), { ...LIMITS, timeout: 2000 });
    const rendering = opened.render([{ variant: variant(), path: staged() }]);
    // The event loop pauses for longer than the deadline, as in a suspended parent.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    expect((await rendering).outputs).toHaveLength(1);
    opened.close();
  });
});

describe('a parent', () => {
  const script = (body: string, workerPath?: string): string =>
    file(
      folder,
      `import { createWorkerPool } from ${JSON.stringify(built('adapters/worker-pool.js'))};
       const pool = createWorkerPool(${JSON.stringify({ size: 1, workerPath })});
       const opened = await pool.open(${JSON.stringify(named(photo))}, ${JSON.stringify(LIMITS)});
       ${body}`,
      `parent-${files++}.mjs`,
    );

  it('is not kept alive by an idle child', async () => {
    pool(1);
    const parent = spawn(process.execPath, [script('opened.close();')], { stdio: 'inherit' });
    expect(await once(parent, 'close')).toEqual([0, null]);
  });

  it('takes its children with it when it is killed during an encode', async () => {
    pool(1);
    const { workerPath, begun } = endless(folder, join(folder, 'staged-'));
    const order = { variant: variant(), path: staged() };
    const body = `opened.render([${JSON.stringify(order)}]);`;
    const parent = spawn(process.execPath, [script(body, workerPath)], { stdio: 'inherit' });
    await begun();
    const [child] = childrenOf(parent.pid!, workerPath);
    parent.kill('SIGKILL');
    await once(parent, 'close');
    // A child that waits for the end of its encode never ends.
    await vi.waitFor(() => expect(alive(child!)).toBe(false), { timeout: 25_000, interval: 20 });
  });
});
