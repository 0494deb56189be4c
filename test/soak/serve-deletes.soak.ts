import { randomUUID } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { membersOf, until } from '../cli/group.ts';
import { openPlace } from '../cli/imgtool.ts';
import { commented, picture } from '../cli/pictures.ts';
import {
  ask,
  assertStored,
  filesOf,
  metricOf,
  type Served,
  sendImage,
  startServe,
  stopServe,
  untilIdle,
} from '../cli/serving.ts';
import { random } from '../random.ts';

vi.setConfig({ testTimeout: 3_600_000 });

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const KEYS = Number(process.env.ROUNDS ?? 100);
const DELETES = Math.ceil(KEYS / 2);
const ARGS = ['--jobs', '2', '--rate-limit', '100000/1h'];
/** Milliseconds after which nothing works on a deleted image. */
const WITHIN = 2_000;

it(`accepts one image for a key that two requests send at once, ${KEYS} times`, async () => {
  console.log(`SEED=${SEED}`);
  const next = random(SEED);
  const place = openPlace();
  const served = await startServe(place, [...ARGS, '--variant', 'a:w=40']);
  const drawn = await picture({ width: 300, height: 200 });
  const ids = new Set<string>();
  let replayed = 0;
  for (let i = 0; i < KEYS; i++) {
    const file = commented(drawn, `${i}`);
    const key = randomUUID();
    const first = sendImage(served, file, { key });
    if (next() < 0.5) await passes(next() * 15);
    const answers = await Promise.all([first, sendImage(served, file, { key })]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(answers[0].body).toEqual(answers[1].body);
    replayed += answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length;
    ids.add(answers[0].body.image_id);
  }
  await untilIdle(served);
  await stopServe(served);
  const { images } = assertStored(place);
  expect(images.map(({ id }) => id).sort()).toEqual([...ids].sort());
  expect([images.length, replayed]).toEqual([KEYS, KEYS]);
  expect(filesOf(place).staged).toEqual([]);
  console.log(`${images.length} images of ${2 * KEYS} requests with ${KEYS} keys`);
});

it(`ends the work on a deleted image, and leaves its duplicate whole, ${DELETES} times`, async () => {
  console.log(`SEED=${SEED}`);
  const next = random(SEED + 1);
  const place = openPlace();
  const served = await startServe(place, [...ARGS, '--preset', 'archive']);
  const drawn = await picture({ width: 2_400, height: 1_600 });
  const began = performance.now();
  await sendImage(served, drawn);
  await untilIdle(served);
  const usual = performance.now() - began;

  const states: Record<string, number> = {};
  const ended: number[] = [];
  for (let i = 0; i < DELETES; i++) {
    const file = commented(drawn, `${i}`);
    const image = (await sendImage(served, file)).body;
    const hasDuplicate = next() < 0.5;
    const other = hasDuplicate ? (await sendImage(served, file)).body : undefined;
    await passes(next() * 1.2 * usual);
    const { body: before } = await ask(`${served.url}/api/v1/images/jobs/${image.job_id}`);
    states[before.state] = (states[before.state] ?? 0) + 1;
    await deleted(served, image);
    const since = performance.now();
    // Nothing else is in work, so the service rests.
    const isResting = async () => (await metricOf(served, 'imgtool_images_in_work')) === 0;
    if (!hasDuplicate) {
      await expect.poll(isResting, { timeout: WITHIN, interval: 10 }).toBe(true);
      await childrenRest(served, WITHIN - (performance.now() - since));
    }
    ended.push(Math.round(performance.now() - since));
    const isOf = (path: string) => path.includes(image.image_id);
    await until('no file of the image', () => !filesOf(place).outputs.some(isOf), WITHIN);
    await untilIdle(served);
    expect(filesOf(place).outputs.filter(isOf)).toEqual([]);
    expect(filesOf(place).staged).toEqual([]);
    if (other !== undefined) await isWhole(served, other);
  }
  await untilIdle(served);
  await stopServe(served);
  assertStored(place);
  console.log(
    `states at the DELETE: ${JSON.stringify(states)}; at rest after at most ${Math.max(...ended)} ms`,
  );
  console.log(`${ended.length} of ${DELETES}`);
});

/** Deletes an image. From the answer on, nobody sees it. */
async function deleted({ url }: Served, { image_id, job_id }: { image_id: string; job_id: string }) {
  const { status } = await ask(`${url}/api/v1/images/${image_id}`, { method: 'DELETE' });
  expect(status).toBe(204);
  const paths = [
    image_id,
    `${image_id}/all`,
    `${image_id}/direct`,
    `jobs/${job_id}`,
    `jobs/${job_id}/result`,
  ];
  const answers = await Promise.all(paths.map((path) => ask(`${url}/api/v1/images/${path}`)));
  expect(answers.map((answer) => answer.status)).toEqual(paths.map(() => 404));
  expect((await ask(`${url}/api/v1/images/${image_id}`, { method: 'DELETE' })).status).toBe(404);
}

/** Waits until no child has used the processor for ten looks. */
async function childrenRest({ session: { pid } }: Served, within: number): Promise<void> {
  let [worked, looks] = [-1, 0];
  await until(
    'children that rest',
    () => {
      const now = membersOf(pid).reduce((sum, one) => sum + (one.pid === pid ? 0 : one.worked), 0);
      looks = now === worked ? looks + 1 : 0;
      worked = now;
      return looks === 10;
    },
    within,
  );
}

/** Checks that the outputs of an image are served with the sizes of its result. */
async function isWhole({ url }: Served, { job_id }: { job_id: string }) {
  const { status, body } = await ask(`${url}/api/v1/images/jobs/${job_id}/result`);
  expect(status).toBe(200);
  const sizes = Object.entries<string>(body.urls);
  expect(sizes).toHaveLength(4);
  for (const [size, path] of sizes) {
    const file = await ask(`${url}${path}`);
    expect([file.status, file.body.length]).toEqual([200, body.metadata.variants[size].size_bytes]);
  }
}
