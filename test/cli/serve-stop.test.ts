import { describe, expect, it } from 'vitest';
import { begin } from '../http/begin.ts';
import { LAST_PART, part } from '../http/raw.ts';
import { canSeeProcesses, untilGone, untilWorking } from './group.ts';
import { openPlace, type Place } from './imgtool.ts';
import { commented, picture } from './pictures.ts';
import {
  ask,
  assertStored,
  filesOf,
  metricOf,
  type Served,
  sendImage,
  startServe,
  stopServe,
  storedIn,
  tokenOf,
  untilIdle,
} from './serving.ts';

const ARGS = ['--jobs', '2', '--rate-limit', 'none'];
const SMALL = [...ARGS, '--variant', 'a:w=300,format=avif,effort=2'];
/** Takes a minute for each image. */
const SLOW = [...ARGS, '--variant', 'a:w=4000,format=avif,effort=9'];

/** Milliseconds of work after which a child encodes. */
const ENCODING = 2_000;

/** Sends pictures, and waits until some of them are in work. */
async function fill(served: Served, count: number, size: number) {
  const drawn = await picture({ width: size, height: size });
  const sent = [];
  for (let i = 0; i < count; i++) sent.push(await sendImage(served, commented(drawn, `${i}`)));
  expect(sent.map(({ status }) => status)).toEqual(sent.map(() => 202));
  await expect.poll(() => metricOf(served, 'imgtool_images_in_work'), { interval: 5 }).toBeGreaterThan(0);
}

/** An upload that has arrived in part. */
async function halfSent({ url }: Served, place: Place) {
  const file = await picture({ width: 700, height: 700, seed: 9, format: 'png' });
  const body = Buffer.concat([part('bucket', 'photos'), part('file', file, 'a.png'), LAST_PART]);
  const before = filesOf(place).staged.length;
  const upload = await begin({ url }, [`Content-Length: ${body.length}`], { token: await tokenOf('ann') });
  upload.socket.write(body.subarray(0, 500));
  await expect.poll(() => filesOf(place).staged.length).toBeGreaterThan(before);
  return { ...upload, rest: body.subarray(500) };
}

describe('a service with uploads and images in work', () => {
  it('finishes both when it is stopped, says that it is not ready, and leaves nothing of them staged', async () => {
    const place = openPlace();
    const served = await startServe(place, SMALL);
    const upload = await halfSent(served, place);
    await fill(served, 6, 500);
    served.session.signal('SIGTERM');
    await served.session.line(/stopping /, 'stderr');
    expect((await ask(`${served.url}/readyz`)).status).toBe(503);
    expect((await ask(`${served.url}/livez`)).status).toBe(200);
    const refused = await sendImage(served, await picture());
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'unavailable',
      '2',
    ]);
    upload.socket.write(upload.rest);
    await upload.received(/^HTTP\/1\.1 202 /);
    upload.socket.destroy();
    expect((await served.session.ended).signal).toBe('SIGTERM');

    const { images } = storedIn(place);
    expect(images).toHaveLength(7);
    expect(images.filter(({ state }) => !['pending', 'completed'].includes(state))).toEqual([]);
    const waiting = images.filter(({ state }) => state === 'pending').map(({ id }) => `staging/${id}`);
    expect(filesOf(place).staged).toEqual(waiting.sort());

    const again = await startServe(place, SMALL);
    await untilIdle(again);
    await stopServe(again);
    expect(assertStored(place).images.map(({ state }) => state)).toEqual(Array(7).fill('completed'));
    expect(filesOf(place).staged).toEqual([]);
  });

  it.skipIf(!canSeeProcesses)(
    'gives back what does not end in ten seconds, without counting the attempt, and cuts off uploads',
    async () => {
      const place = openPlace();
      const served = await startServe(place, SLOW);
      await fill(served, 3, 4_000);
      await untilWorking(served.session.pid, ENCODING);
      const upload = await halfSent(served, place);
      expect((await stopServe(served)).signal).toBe('SIGTERM');
      await upload.closed;
      const { images } = storedIn(place);
      expect(images.map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(['pending', 0]));
      expect(filesOf(place).staged).toEqual(images.map(({ id }) => `staging/${id}`).sort());
    },
  );

  it.skipIf(!canSeeProcesses)(
    'ends with all its processes at a second signal, and loses no image',
    async () => {
      const place = openPlace();
      const served = await startServe(place, SLOW);
      const upload = await halfSent(served, place);
      await fill(served, 4, 4_000);
      await untilWorking(served.session.pid, ENCODING);
      // Signals that follow the first one at once are the same one.
      const signals = setInterval(() => served.session.signal('SIGTERM'), 100);
      expect((await served.session.ended).signal).toBe('SIGTERM');
      clearInterval(signals);
      await untilGone(served.session.pid);
      await upload.closed;
      const { images } = storedIn(place);
      expect(images.map(({ state }) => state)).toEqual(Array(4).fill('pending'));
      // The next start removes what was still arriving.
      const complete = filesOf(place).staged.filter((path) => path.startsWith('staging/'));
      expect(complete).toEqual(images.map(({ id }) => `staging/${id}`).sort());

      const again = await startServe(place, SMALL);
      for (const { id } of images) await ask(`${again.url}/api/v1/images/${id}`, { method: 'DELETE' });
      await stopServe(again);
      expect(assertStored(place).images).toEqual([]);
      expect(filesOf(place).staged).toEqual([]);
    },
  );
});
