import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import type { Opened, Renderer } from '../../src/ports.ts';
import { file, LIMITS, named, scratch } from '../image/pictures.ts';
import { childrenOf } from './children.ts';

const folder = scratch();
let renderer: Renderer;
let files = 0;
afterEach(() => renderer?.close());

/** A child that returns its number of threads, and the number that the parent allowed. */
function threadCounter(): string {
  const script = `
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
    const took = { ms: 0, cpu: 0 };
    const say = (message) => process.send({ ...message, took });
    process.on('message', ({ type, atOnce }) => {
      if (type === 'open') say({ type: 'opened', picture: {} });
      const threads = Number(process.env.UV_THREADPOOL_SIZE);
      if (type === 'render') say({ type: 'rendered', rendered: { outputs: [{ atOnce, threads }] } });
    });
    say({ type: 'ready' });`;
  return file(folder, script, `threadCounter-${files++}.mjs`);
}

const open = (size: number, workerPath: string): Renderer => {
  renderer = createWorkerPool({ size, workerPath });
  return renderer;
};

async function threadsOf(picture: Opened) {
  const { outputs } = await picture.render([]);
  return outputs[0] as unknown as { atOnce: number; threads: number };
}

describe('children', () => {
  it('start with one before the first picture, and never outnumber the open pictures', async () => {
    const script = threadCounter();
    const pool = open(4, script);
    pool.warm();
    pool.warm();
    expect(childrenOf(process.pid, script)).toHaveLength(1);
    const one = await pool.open(named('any'), LIMITS);
    expect(childrenOf(process.pid, script)).toHaveLength(1);
    const two = await pool.open(named('any'), LIMITS);
    expect(childrenOf(process.pid, script)).toHaveLength(2);
    one.close();
    two.close();
    (await pool.open(named('any'), LIMITS)).close();
    expect(childrenOf(process.pid, script)).toHaveLength(2);
  });
});

describe('the outputs of one picture', () => {
  it('are encoded in parallel as far as slots are free, and two at a time if all slots are taken', async () => {
    const pool = open(8, threadCounter());
    const pictures = [await pool.open(named('any'), LIMITS)];
    expect(await threadsOf(pictures[0]!)).toEqual({ atOnce: 8, threads: 8 });
    pictures.push(await pool.open(named('any'), LIMITS));
    expect((await threadsOf(pictures[1]!)).atOnce).toBe(4);
    while (pictures.length < 8) pictures.push(await pool.open(named('any'), LIMITS));
    expect((await threadsOf(pictures[7]!)).atOnce).toBe(2);
    for (const one of pictures) one.close();
  });

  it('have at most eight threads, however many slots there are', async () => {
    const picture = await open(64, threadCounter()).open(named('any'), LIMITS);
    expect(await threadsOf(picture)).toEqual({ atOnce: 8, threads: 8 });
    picture.close();
  });
});
