import { utimesSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { untilGone } from '../cli/group.ts';
import { openPlace } from '../cli/imgtool.ts';
import { commented, picture } from '../cli/pictures.ts';
import {
  ask,
  assertStored,
  beginServe,
  filesOf,
  listening,
  type Served,
  sendImage,
  startServe,
  stopServe,
  untilIdle,
} from '../cli/serving.ts';
import { random } from '../random.ts';

vi.setConfig({ testTimeout: 3_600_000 });

const KILLS = Number(process.env.ROUNDS ?? 100);
const UPLOADS = Number(process.env.UPLOADS ?? 5 * KILLS);
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const AT_ONCE = 8;
/** Longest life of a service after it listens, in milliseconds. */
const LONGEST_LIFE = Number(process.env.LIFE ?? 3_000);
const ARGS = [
  '--jobs',
  '2',
  '--rate-limit',
  '100000/1h',
  '--variant',
  'a:w=40',
  '--variant',
  'b:w=200,format=avif,effort=0',
];

it(`loses and repeats nothing when it is killed ${KILLS} times among ${UPLOADS} uploads`, async () => {
  console.log(`SEED=${SEED}`);
  const next = random(SEED);
  const place = openPlace();
  const drawn = await Promise.all(Array.from({ length: 12 }, (_, i) => drawing(i)));
  // Each fourth upload has the bytes of the one before it.
  const bytesOf = (i: number) => {
    const n = i % 4 === 3 ? i - 1 : i;
    return commented(drawn[n % drawn.length]!, `${n} of ${SEED}`);
  };

  let kills = 0;
  let served: Promise<Served> | undefined;
  let isOver = false;
  const moments: string[] = [];
  const killer = (async () => {
    while (kills < KILLS) {
      const session = beginServe(place, ARGS);
      const isEarly = next() < 0.1;
      served = listening(session);
      served.catch(() => {});
      if (isEarly) await passes(next() * 500);
      else await Promise.race([served, session.ended]);
      const began = performance.now();
      if (!isEarly) await passes(next() * LONGEST_LIFE);
      session.signal('SIGKILL', 'group');
      const { stderr } = await session.ended;
      expect(stderr).not.toMatch(/^error:/m);
      await untilGone(session.pid);
      kills++;
      const life = isEarly ? 'start' : `${Math.round(performance.now() - began)}ms`;
      moments.push(`${life}/${filesOf(place).staged.filter((path) => path.startsWith('.staged')).length}s`);
    }
    served = startServe(place, ARGS);
    await served;
    isOver = true;
  })();

  /** The answers to each key. */
  const answers = new Map<string, Set<string>>();
  let asked = 0;
  let repeats = 0;
  const begun = { uploads: 0 };
  const client = async () => {
    for (;;) {
      const i = begun.uploads++;
      if (i >= UPLOADS) return;
      // The uploads spread over all lives.
      while (!isOver && i > ((kills + 1) / KILLS) * UPLOADS) await passes(5);
      const key = `${SEED}-${i}`;
      const bodies = new Set<string>();
      answers.set(key, bodies);
      const again = next() < 0.2 ? 2 : 1;
      for (let tries = 0, got = 0; got < again; tries++) {
        asked++;
        if (tries > got) repeats++;
        const answer = await served!
          .then((one) => sendImage(one, bytesOf(i), { key }))
          .catch(() => undefined);
        if (answer === undefined) {
          await passes(20);
          continue;
        }
        expect([202, 503], JSON.stringify(answer.body)).toContain(answer.status);
        if (answer.status !== 202) continue;
        bodies.add(JSON.stringify(answer.body));
        got++;
      }
    }
  };
  await Promise.all([killer, ...Array.from({ length: AT_ONCE }, client)]);
  const last = await served!;
  await untilIdle(last);
  for (const [key, bodies] of answers) expect(bodies.size, key).toBe(1);
  const sent = [...answers.values()].map(
    ([body = '']) => JSON.parse(body) as { image_id: string; job_id: string },
  );
  const crashed = new Set<string>();
  for (const { job_id, image_id } of sent) {
    const { status, body } = await ask(`${last.url}/api/v1/images/jobs/${job_id}`);
    expect(status).toBe(200);
    if (body.state !== 'failed') continue;
    // An image that three services in a row have not survived. Its bytes are kept, so it can be tried again.
    expect(body.error_code).toBe('worker_crashed');
    crashed.add(image_id);
    expect((await ask(`${last.url}/api/v1/images/jobs/${job_id}/retry`, { method: 'POST' })).status).toBe(
      202,
    );
  }
  await untilIdle(last);
  await stopServe(last);

  // Orphans are uploads that were complete and not yet recorded. A sweep removes them after a day.
  const orphans = filesOf(place).staged;
  const old = new Date(Date.now() - 2 * 86_400_000);
  for (const path of orphans) utimesSync(place.at('storage', path), old, old);
  const sweeping = await startServe(place, ARGS);
  await expect.poll(() => filesOf(place).staged, { timeout: 60_000 }).toEqual([]);
  await stopServe(sweeping);

  const { images } = assertStored(place);
  expect(images.map(({ id }) => id).sort()).toEqual(sent.map(({ image_id }) => image_id).sort());
  expect(images.filter(({ state }) => !['completed', 'duplicate'].includes(state))).toEqual([]);
  for (const { id, taken } of images) if (crashed.has(id)) expect(taken, id).toBeGreaterThan(3);
  const duplicates = images.filter(({ state }) => state === 'duplicate').length;
  const taken = images.filter((image) => image.taken > 1).length;
  console.log(`moments (after the service listens/files staged): ${moments.join(' ')}`);
  console.log(
    `${images.length} images of ${UPLOADS} keys, ${asked} requests (${repeats} repeats), ${duplicates} duplicates, ${taken} taken again, ${crashed.size} worker_crashed and retried, ${orphans.length} orphans`,
  );
  console.log(`${kills} of ${KILLS}`);
});

function drawing(seed: number): Promise<Buffer> {
  return picture({ seed, width: 200 + 40 * seed, height: 150 + 40 * seed });
}
