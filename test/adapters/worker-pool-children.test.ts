import { execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import type { Opened, Renderer } from '../../src/ports.ts';
import { encoded, file, LIMITS, lopsided, named, scratch, variant } from '../image/pictures.ts';
import { alive, built, childrenOf, endless, workerPath } from './children.ts';

const folder = scratch();
const slow = variant({ format: 'avif', effort: 9, width: 4000 });
const quick = variant({ width: 30 });
let photo: string;
let renderer: Renderer;
let files = 0;

const staged = (): string => join(folder, `staged-${files++}.tmp`);
const order = (each = quick) => [{ variant: each, path: staged() }];
const pool = (size: number, path = workerPath): Renderer => {
  renderer = createWorkerPool({ size, workerPath: path });
  return renderer;
};

beforeAll(async () => {
  photo = file(folder, await encoded(lopsided(1500, 1000)).jpeg().toBuffer(), 'photo.jpg');
});
afterEach(async () => {
  vi.useRealTimers();
  await renderer?.close();
});

/** Opens a picture in a started child process. Returns the picture and the process id. */
async function openOne(limits = LIMITS, path = photo): Promise<{ opened: Opened; pid: number }> {
  (await pool(1).open(named(photo), LIMITS)).close();
  const opened = await renderer.open(named(path), limits);
  return { opened, pid: childrenOf(process.pid)[0]! };
}

describe('the priority of a child process', () => {
  const { PRIORITY_BELOW_NORMAL } = constants.priority;

  it.each([
    [
      'is lower than that of its parent if it gives way',
      true,
      Math.max(getPriority(), PRIORITY_BELOW_NORMAL),
    ],
    ['is that of its parent otherwise', false, getPriority()],
  ])('%s', async (_, givesWay, expected) => {
    renderer = createWorkerPool({ size: 1, workerPath, givesWay });
    (await renderer.open(named(photo), LIMITS)).close();
    expect(childrenOf(process.pid).map((pid) => getPriority(pid))).toEqual([expected]);
  });
});

describe('a child process that works on a picture', () => {
  it.each(['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const)(
    'and dies of %s costs only that picture',
    async (signal) => {
      const { opened, pid } = await openOne();
      const rendering = opened.render(order(slow));
      process.kill(pid, signal);
      await expect(rendering).rejects.toMatchObject({
        code: 'worker_crashed',
        message: expect.stringContaining(signal),
      });
      opened.close();
      const next = await renderer.open(named(photo), LIMITS);
      expect((await next.render(order())).outputs).toHaveLength(1);
      next.close();
    },
  );

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('finishes the picture in spite of %s', async (signal) => {
    const { opened, pid } = await openOne();
    const rendering = opened.render(order());
    process.kill(pid, signal);
    expect((await rendering).outputs[0]).toMatchObject({ width: 30 });
    opened.close();
    expect(childrenOf(process.pid)).toEqual([pid]);
  });

  it('and is suspended is killed at its deadline', async () => {
    const { opened, pid } = await openOne({ ...LIMITS, timeout: 2000 });
    process.kill(pid, 'SIGSTOP');
    await expect(opened.render(order())).rejects.toMatchObject({ code: 'timeout' });
    expect(alive(pid)).toBe(false);
    opened.close();
    (await renderer.open(named(photo), LIMITS)).close();
  });

  it('ends itself when its channel closes, without waiting for the end of an encode', async () => {
    const { workerPath, begun } = endless(folder, join(folder, 'staged-'));
    const child = fork(workerPath, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(child, 'message');
    child.send({ type: 'open', source: photo, limits: LIMITS, variants: [] });
    await once(child, 'message');
    child.send({ type: 'render', orders: order() });
    await begun();
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });
});

describe('the deadline', () => {
  it('counts nothing while a picture waits between open and render', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { opened, pid } = await openOne({ ...LIMITS, timeout: 2000 });
    vi.advanceTimersByTime(60_000);
    expect((await opened.render(order())).outputs).toHaveLength(1);
    opened.close();
    expect(childrenOf(process.pid)).toEqual([pid]);
  });

  it('covers open and render together', async () => {
    const { opened: first, pid } = await openOne();
    first.close();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    process.kill(pid, 'SIGSTOP');
    const opening = renderer.open(named(photo), { ...LIMITS, timeout: 3000 });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), { timeout: 20_000 });
    vi.advanceTimersByTime(2000);
    process.kill(pid, 'SIGCONT');
    const opened = await opening;
    const rendering = opened.render(order(slow));
    vi.advanceTimersByTime(1000);
    await expect(rendering).rejects.toMatchObject({ code: 'timeout' });
    opened.close();
  });

  it('applies to inspections too', async () => {
    pool(1);
    (await renderer.open(named(photo), LIMITS)).close();
    const [pid] = childrenOf(process.pid);
    process.kill(pid!, 'SIGSTOP');
    await expect(renderer.inspect(photo, 1000)).rejects.toMatchObject({ code: 'timeout' });
    expect((await renderer.inspect(photo, 60_000)).format).toBe('jpeg');
  });
});

describe('a lack of memory', () => {
  const hasLimits = spawnSync('prlimit', ['--version']).status === 0 && existsSync('/proc/self/status');
  if (!hasLimits) console.warn('not tried, since there is no prlimit here: children short of memory');

  /** Limits the child's address space to its current size plus this many bytes. */
  function limit(pid: number, bytes: number): void {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const size = Number(/VmSize:\s+(\d+)/.exec(status)?.[1]) * 1024;
    execFileSync('prlimit', ['--pid', String(pid), `--as=${size + bytes}:`]);
  }

  it.skipIf(!hasLimits).each([false, true])(
    'is not reported or accepted as damage of the picture (lenient: %s)',
    async (lenient) => {
      const large = file(folder, await encoded(lopsided(3000, 3000)).png().toBuffer(), 'large.png');
      const { opened, pid } = await openOne({ ...LIMITS, lenient }, large);
      limit(pid, 4 * 2 ** 20);
      await expect(opened.render(order(variant({ width: 3000 })))).rejects.toMatchObject({
        code: 'out_of_memory',
        retryable: true,
        fix: expect.stringContaining('{{jobs 1}}'),
      });
      opened.close();
      // The child's own memory may have been the cause, so another child makes the next attempt.
      const next = await renderer.open(named(large), LIMITS);
      expect((await next.render(order())).degraded).toBe(false);
      expect(childrenOf(process.pid)).not.toContain(pid);
      next.close();
    },
  );

  it.skipIf(!hasLimits)('for the file itself has the same result', async () => {
    const bytes = Buffer.concat([readFileSync(photo), Buffer.alloc(100 * 2 ** 20)]);
    const big = file(folder, bytes, 'big.jpg');
    (await pool(1).open(named(photo), LIMITS)).close();
    limit(childrenOf(process.pid)[0]!, 10 * 2 ** 20);
    await expect(renderer.open(named(big), LIMITS)).rejects.toMatchObject({ code: 'out_of_memory' });
  });

  it.skipIf(!hasLimits).each([8, 24, 48, 96])(
    'costs one picture, wherever the memory ends, %i MiB later',
    async (megabytes) => {
      const { opened, pid } = await openOne();
      limit(pid, megabytes * 2 ** 20);
      const outcome = await opened.render(order(variant({ format: 'avif' }))).then(
        () => 'rendered',
        (error) => error.code,
      );
      expect(['rendered', 'out_of_memory', 'worker_crashed']).toContain(outcome);
      opened.close();
      if (alive(pid)) execFileSync('prlimit', ['--pid', String(pid), '--as=unlimited:']);
      const next = await renderer.open(named(photo), LIMITS);
      expect((await next.render(order())).outputs).toHaveLength(1);
      next.close();
    },
  );

  it.skipIf(!hasLimits)('or of descriptors for a new child allows another attempt', async () => {
    const script = `import { createWorkerPool } from ${JSON.stringify(built('adapters/worker-pool.js'))};
      import { openSync, closeSync } from 'node:fs';
      const held = [];
      try { for (;;) held.push(openSync('/dev/null')); } catch {}
      const pool = createWorkerPool({ size: 1 });
      const open = () => pool.open(${JSON.stringify(named(photo))}, ${JSON.stringify(LIMITS)});
      const failed = await open().catch(({ code, retryable }) => ({ code, retryable }));
      for (const one of held) closeSync(one);
      const opened = await open();
      console.log(JSON.stringify({ failed, format: opened.format }));
      opened.close();
      await pool.close();`;
    const path = file(folder, script, 'no-descriptors.mjs');
    const parent = spawn('prlimit', ['--nofile=64', process.execPath, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await once(parent.stdout, 'data');
    expect(JSON.parse(said)).toEqual({ failed: { code: 'io', retryable: true }, format: 'jpeg' });
    await once(parent, 'close');
  });
});
