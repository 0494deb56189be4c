import { utimesSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';
import { expect } from 'vitest';
import { random } from '../random.ts';
import { untilGone } from './group.ts';
import { openPlace, type Place } from './imgtool.ts';
import { commented, picture } from './pictures.ts';
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
} from './serving.ts';

/** Kills a service with its whole process group again and again, while clients upload, and checks what is left. */

interface Plan {
  readonly kills: number;
  /** More than the kills, so that each life has some. */
  readonly uploads: number;
  readonly seed: number;
  /** Longest life of a service after it listens, in milliseconds. */
  readonly life: number;
}

/** Services that follow each other. */
interface Lives {
  kills: number;
  /** The present service. Rejects when it is killed before it listens. */
  served: Promise<Served>;
  readonly moments: string[];
}

const CLIENTS = 8;
const DAY = 86_400_000;
const VARIANTS = ['--variant', 'a:w=40', '--variant', 'b:w=200,format=avif,effort=0'];
const ARGS = ['--jobs', '2', '--rate-limit', '100000/1h', ...VARIANTS];

/** Returns what happened, in some lines. */
export async function killedAmongUploads(plan: Plan): Promise<string> {
  const place = openPlace();
  const next = random(plan.seed);
  const lives: Lives = {
    kills: 0,
    served: Promise.reject(new Error('no service has begun')),
    moments: [],
  };
  lives.served.catch(() => {});
  const killing = kill(place, plan, lives, next);
  const [sent] = await Promise.all([upload(plan, lives, next), killing]);
  const last = await lives.served;
  await untilIdle(last);
  for (const [key, bodies] of sent.answers) expect(bodies.size, `${key} has one answer`).toBe(1);
  const answers = [...sent.answers.values()].map(([body = '']) => JSON.parse(body));
  const crashed = await retryCrashed(last, answers);
  await stopServe(last);
  const orphans = await sweptOrphans(place);

  const { images } = assertStored(place);
  expect(images.map(({ id }) => id).sort()).toEqual(answers.map(({ image_id }) => image_id).sort());
  expect(images.filter(({ state }) => !['completed', 'duplicate'].includes(state))).toEqual([]);
  const count = (is: (image: (typeof images)[number]) => boolean) => images.filter(is).length;
  return `moments (after the service listens/files staged): ${lives.moments.join(' ')}
${images.length} images of ${plan.uploads} keys, ${sent.requests} requests, ${sent.failed} of them without an answer
${count(({ state }) => state === 'duplicate')} duplicates, ${count(({ taken }) => taken > 1)} taken again
${crashed} failed as worker_crashed and completed after a retry, ${orphans} orphans swept
${lives.kills} of ${plan.kills}`;
}

/** One kill in ten comes before the service listens. */
async function kill(place: Place, { kills, life }: Plan, lives: Lives, next: () => number): Promise<void> {
  while (lives.kills < kills) {
    const session = beginServe(place, ARGS);
    const isEarly = next() < 0.1;
    lives.served = listening(session);
    lives.served.catch(() => {});
    if (!isEarly) await Promise.race([lives.served, session.ended]);
    const ms = Math.round(next() * (isEarly ? 500 : life));
    await passes(ms);
    session.signal('SIGKILL', 'group');
    const { stderr, signal } = await session.ended;
    expect({ stderr, signal }).toMatchObject({ signal: 'SIGKILL' });
    await untilGone(session.pid);
    lives.kills++;
    const staged = filesOf(place).staged.filter((path) => path.startsWith('.staged')).length;
    lives.moments.push(`${isEarly ? 'start' : `${ms}ms`}/${staged}`);
  }
  lives.served = startServe(place, ARGS);
  await lives.served;
}

/** Each client repeats an upload with its key until it is accepted, and one in five once more. */
async function upload({ kills, uploads, seed }: Plan, lives: Lives, next: () => number) {
  const drawn = await Promise.all(
    Array.from({ length: 12 }, (_, i) => picture({ seed: i, width: 200 + 40 * i, height: 150 + 40 * i })),
  );
  /** Each fourth upload has the bytes of the one before it. */
  const bytesOf = (i: number) => {
    const n = i % 4 === 3 ? i - 1 : i;
    return commented(drawn[n % drawn.length]!, `${n} of ${seed}`);
  };
  const answers = new Map<string, Set<string>>();
  const sent = { answers, requests: 0, failed: 0 };
  let begun = 0;

  const client = async () => {
    for (let i = begun++; i < uploads; i = begun++) {
      // The uploads spread over all lives.
      while (i > ((lives.kills + 1) / kills) * uploads) await passes(5);
      const key = `${seed}-${i}`;
      const bodies = new Set<string>();
      answers.set(key, bodies);
      for (let left = next() < 0.2 ? 2 : 1; left > 0; ) {
        sent.requests++;
        const service = await lives.served.catch(() => undefined);
        const answer = service && (await sendImage(service, bytesOf(i), { key }).catch(() => undefined));
        if (answer === undefined) {
          sent.failed++;
          await passes(20);
          continue;
        }
        expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
        bodies.add(JSON.stringify(answer.body));
        left--;
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return sent;
}

/**
 * An image fails when three services in a row have not survived it. Its bytes are kept, so it can be tried again. Returns
 * the number of these images.
 */
async function retryCrashed(
  served: Served,
  answers: readonly { readonly job_id: string }[],
): Promise<number> {
  let crashed = 0;
  for (const { job_id } of answers) {
    const path = `${served.url}/api/v1/images/jobs/${job_id}`;
    const { status, body } = await ask(path);
    expect(status).toBe(200);
    if (body.state !== 'failed') continue;
    expect(body).toMatchObject({ error_code: 'worker_crashed', attempts: 3 });
    expect((await ask(`${path}/retry`, { method: 'POST' })).status).toBe(202);
    crashed++;
  }
  await untilIdle(served);
  return crashed;
}

/** Orphans are uploads that were complete and not yet recorded. A sweep removes them after a day. Returns their number. */
async function sweptOrphans(place: Place): Promise<number> {
  const { staged } = filesOf(place);
  const old = new Date(Date.now() - 2 * DAY);
  for (const path of staged) utimesSync(place.at('storage', path), old, old);
  const served = await startServe(place, ARGS);
  await expect.poll(() => filesOf(place).staged, { timeout: 60_000 }).toEqual([]);
  await stopServe(served);
  return staged.length;
}
