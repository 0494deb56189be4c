import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import type { Renderer } from '../../src/ports.ts';
import { encoded, file, LIMITS, lopsided, named, scratch } from '../image/pictures.ts';
import { alive, childrenOf, workerPath } from './children.ts';

const folder = scratch();
let renderer: Renderer;
let files = 0;
afterEach(() => renderer?.close());

/** A child that opens any path, reports its memory at each release, and returns its process id as the digest. */
function made(resting: number, delay = 'now'): string {
  const script = `
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
    let asked = 0;
    const say = (message) => process.send(message);
    const resting = () => say({ type: 'resting', memory: ${resting} });
    process.on('message', ({ type }) => {
      if (type === 'open') {
        if (${JSON.stringify(delay)} === 'late' && asked++ === 1) resting();
        say({ type: 'opened', picture: { digest: String(process.pid) } });
      }
      if (type === 'render') say({ type: 'rendered', rendered: { outputs: [] } });
      if (type === 'release' && ${JSON.stringify(delay)} === 'now') resting();
    });
    say({ type: 'ready' });`;
  return file(folder, script, `made-${files++}.mjs`);
}

const pool = (workerPath: string, size = 1): Renderer => {
  renderer = createWorkerPool({ size, workerPath });
  return renderer;
};
const GB = 1024 ** 3;

const untilDead = (pid: number) =>
  vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 20_000, interval: 20 });

describe('a child process that holds too much memory at rest', () => {
  it('is ended once it is idle, and the next picture gets a new one', async () => {
    const script = made(GB);
    const opened = await pool(script).open(named('any'), LIMITS);
    opened.close();
    await untilDead(Number(opened.digest));
    expect(childrenOf(process.pid, script)).toEqual([]);
    const next = await renderer.open(named('any'), LIMITS);
    expect(next.digest).not.toBe(opened.digest);
    await expect(next.render([])).resolves.toEqual({ outputs: [] });
    next.close();
  });

  it('is never ended while it has a picture', async () => {
    const script = made(GB, 'late');
    (await pool(script).open(named('any'), LIMITS)).close();
    // The child reports its memory at rest after it has received the next picture.
    const opened = await renderer.open(named('any'), LIMITS);
    await expect(opened.render([])).resolves.toEqual({ outputs: [] });
    expect(alive(Number(opened.digest))).toBe(true);
    opened.close();
    await untilDead(Number(opened.digest));
    const next = await renderer.open(named('any'), LIMITS);
    expect(next.digest).not.toBe(opened.digest);
    next.close();
  });

  it('ends no other child, and all children are gone after close', async () => {
    const script = made(GB);
    const [one, other] = await Promise.all([
      pool(script, 2).open(named('any'), LIMITS),
      renderer.open(named('any'), LIMITS),
    ]);
    one.close();
    await untilDead(Number(one.digest));
    await expect(other.render([])).resolves.toEqual({ outputs: [] });
    expect(childrenOf(process.pid, script)).toEqual([Number(other.digest)]);
    other.close();
    await renderer.close();
    expect(childrenOf(process.pid, script)).toEqual([]);
  });
});

describe('a child process that holds little memory at rest', () => {
  it('is used again', async () => {
    pool(made(100 * 2 ** 20));
    const digests = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const opened = await renderer.open(named('any'), LIMITS);
      digests.add(opened.digest);
      opened.close();
    }
    expect(digests.size).toBe(1);
  });

  it('is what a real child becomes after a large picture', async () => {
    const photo = await encoded(lopsided(60, 40)).jpeg().toBuffer();
    const size = 250 * 2 ** 20;
    const large = file(folder, Buffer.concat([photo, Buffer.alloc(size)]), 'large.jpg');
    const child = fork(workerPath, {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const next = async () => (await once(child, 'message'))[0];
    expect(await next()).toEqual({ type: 'ready' });
    child.send({ type: 'open', source: large, limits: LIMITS, variants: [] });
    expect(await next()).toMatchObject({ type: 'opened' });
    child.send({ type: 'release' });
    const { type, memory } = await next();
    expect(type).toBe('resting');
    expect(memory).toBeLessThan(size);
    expect(memory).toBeGreaterThan(20 * 2 ** 20);
    child.disconnect();
    await once(child, 'exit');
  });
});
