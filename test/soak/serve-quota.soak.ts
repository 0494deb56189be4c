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
  /** The end of the window of each owner. */
  const owners = new Map<string, number>();
  let accepted = 0;
  let moved = 0;
  for (let round = 0; owners.size < ROUNDS; round++) {
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
    owners.set(owner, resetOf(answers[0]!));
  }
  await untilIdle(served);
  await stopServe(served);
  expect(assertStored(place).images).toHaveLength(accepted);

  const again = await startServe(place, ARGS);
  for (const [owner, resetAt] of owners) {
    const answer = await sendImage(again, drawn, { owner });
    if (Date.now() < resetAt) assertRefused(answer);
  }
  await stopServe(again);
  console.log(
    `${LIMIT} of ${SENT} accepted, ${owners.size} of ${ROUNDS} rounds, ${moved} repeated at the full hour`,
  );
});

const resetOf = ({ headers }: Answer) => Date.parse(headers.get('x-ratelimit-reset') ?? '');

function assertAnswers(answers: readonly Answer[]): void {
  const accepted = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 429);
  expect([accepted.length, refused.length]).toEqual([LIMIT, SENT - LIMIT]);
  for (const answer of answers) {
    expect(answer.headers.get('x-ratelimit-limit')).toBe(`${LIMIT}`);
    expect(resetOf(answer) % HOUR).toBe(0);
  }
  const left = accepted.map(({ headers }) => Number(headers.get('x-ratelimit-remaining')));
  expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: LIMIT }, (_, i) => i));
  for (const answer of refused) assertRefused(answer);
}

function assertRefused(answer: Answer): void {
  const { status, headers, body } = answer;
  expect([status, body.code]).toEqual([429, 'rate_limited']);
  expect(headers.get('x-ratelimit-remaining')).toBe('0');
  const wait = Number(headers.get('retry-after'));
  const left = (resetOf(answer) - Date.now()) / 1_000;
  expect(wait).toBeGreaterThanOrEqual(1);
  expect(Math.abs(wait - left)).toBeLessThan(30);
}
