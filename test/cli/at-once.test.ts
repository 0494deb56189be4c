import { describe, expect, it } from 'vitest';
import { finishedOf, openPlace } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture } from './pictures.ts';

describe('several processes that start at the same time without an index', () => {
  it.each([1, 2])('all finish, and render each picture once (%i)', async () => {
    const place = openPlace();
    for (let i = 0; i < 4; i++) place.put(`photos/${i}.jpg`, await picture({ seed: i + 1 }));
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => place.process()));
    expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      outcomes.map(() => ({ code: 0, stderr: '' })),
    );
    const rendered = outcomes.map((outcome) => finishedOf(outcome).counts.completed);
    expect(rendered.reduce((sum, each) => sum + each, 0)).toBe(4);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
  });
});
