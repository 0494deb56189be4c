import { expect, it, vi } from 'vitest';
import { openPlace } from '../cli/imgtool.ts';
import { commented, picture } from '../cli/pictures.ts';
import { type Answer, assertStored, sendImage, startServe, stopServe, untilIdle } from '../cli/serving.ts';

vi.setConfig({ testTimeout: 3_600_000 });

const ROUNDS = Number(process.env.ROUNDS ?? 20);
const LIMIT = 50;
const SENT = 60;
const HOUR = 3_600_000;
const ARGS = ['--jobs', '2', '--rate-limit', `${LIMIT}/1h`, '--variant', 'a:w=40'];

it(`accepts exactly ${LIMIT} of ${SENT} uploads at once, for ${ROUNDS} owners`, async () => {
  const place = openPlace();
  const served = await startServe(place, ARGS);
  const drawn = await picture();
  const owners: string[] = [];
  let accepted = 0;
  let moved = 0;
  for (let round = 0; owners.length < ROUNDS; round++) {
    const owner = `owner ${round}`;
    const files = Array.from({ length: SENT }, (_, i) => commented(drawn, `${round} ${i}`));
    // Two buckets are no two quotas.
    const sends = files.map((file, i) =>
      sendImage(served, file, { owner, fields: { bucket: i % 2 === 0 ? 'photos' : 'others' } }),
    );
    const answers = await Promise.all(sends);
    accepted += answers.filter(({ status }) => status === 202).length;
    // A new window has begun in the middle of the round.
    if (new Set(answers.map(({ headers }) => headers.get('x-ratelimit-reset'))).size > 1) {
      moved++;
      continue;
    }
    assertAnswers(answers);
    owners.push(owner);
  }
  await untilIdle(served);
  await stopServe(served);
  expect(assertStored(place).images).toHaveLength(accepted);

  const again = await startServe(place, ARGS);
  for (const owner of owners) {
    const answer = await sendImage(again, drawn, { owner });
    const resetAt = Date.parse(answer.headers.get('x-ratelimit-reset') ?? '');
    // Within an hour of the round.
    if (resetAt % HOUR === 0) assertRefused(answer);
  }
  await stopServe(again);
  console.log(
    `${LIMIT} of ${SENT} accepted, ${owners.length} of ${ROUNDS} rounds, ${moved} repeated at the full hour`,
  );
});

function assertAnswers(answers: readonly Answer[]): void {
  const accepted = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 429);
  expect([accepted.length, refused.length]).toEqual([LIMIT, SENT - LIMIT]);
  for (const { headers } of answers) {
    expect(headers.get('x-ratelimit-limit')).toBe(`${LIMIT}`);
    expect(Date.parse(headers.get('x-ratelimit-reset') ?? '') % HOUR).toBe(0);
  }
  const left = accepted.map(({ headers }) => Number(headers.get('x-ratelimit-remaining')));
  expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: LIMIT }, (_, i) => i));
  for (const answer of refused) assertRefused(answer);
}

function assertRefused({ status, headers, body }: Answer): void {
  expect([status, body.code]).toEqual([429, 'rate_limited']);
  expect(headers.get('x-ratelimit-remaining')).toBe('0');
  const wait = Number(headers.get('retry-after'));
  const left = (Date.parse(headers.get('x-ratelimit-reset') ?? '') - Date.now()) / 1_000;
  expect(wait).toBeGreaterThanOrEqual(1);
  expect(Math.abs(wait - left)).toBeLessThan(30);
}
