import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import type { Opened, Renderer } from '../../src/ports.ts';
import { file, LIMITS, named, scratch } from '../image/pictures.ts';
import { childrenOf } from './children.ts';

const folder = scratch();
let renderer: Renderer;
let files = 0;
afterEach(() => renderer?.close());

/** A child that tells by its output how many threads it has and how many of them it was told to use. */
function telling(): string {
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
  return file(folder, script, `telling-${files++}.mjs`);
}

const open = (size: number, workerPath: string): Renderer => {
  renderer = createWorkerPool({ size, workerPath });
  return renderer;
};

async function told(picture: Opened) {
  const { outputs } = await picture.render([]);
  return outputs[0] as unknown as { atOnce: number; threads: number };
}

describe('children', () => {
  it('are one when work is sure to come, and never more than pictures that are open', async () => {
    const script = telling();
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

describe('outputs of one picture', () => {
  it('are encoded side by side as far as other places are free, and by two when all are taken', async () => {
    const pool = open(8, telling());
    const pictures = [await pool.open(named('any'), LIMITS)];
    expect(await told(pictures[0]!)).toEqual({ atOnce: 8, threads: 8 });
    pictures.push(await pool.open(named('any'), LIMITS));
    expect((await told(pictures[1]!)).atOnce).toBe(4);
    while (pictures.length < 8) pictures.push(await pool.open(named('any'), LIMITS));
    expect((await told(pictures[7]!)).atOnce).toBe(2);
    for (const one of pictures) one.close();
  });

  it('have no more than eight threads, however many places there are', async () => {
    const picture = await open(64, telling()).open(named('any'), LIMITS);
    expect(await told(picture)).toEqual({ atOnce: 8, threads: 8 });
    picture.close();
  });
});
