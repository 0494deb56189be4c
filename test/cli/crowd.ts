import { expect } from 'vitest';
import { countsOf, jobsOf, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, inodeOf, picture, putOld } from './pictures.ts';

/**
 * Runs many processes at the same time on the same pictures and one index, and checks the conditions that hold for all
 * of them. Returns how many pictures each process rendered.
 */
export async function assertRenderedOnce(
  place: Place,
  crowd: number,
  count: number,
  run: Place['run'] = place.run,
): Promise<number[]> {
  const one = await picture({ width: 200, height: 150 });
  for (let i = 0; i < count; i++)
    putOld(place.at(`photos/${i % 5}/${i}.jpg`), commented(one, `picture ${i}`));
  const sources = sourcesOf(place, 'photos');
  const batch = ['process', '--json', '--jobs', '2', ...SMALL, '--out', 'out', 'photos'];
  const outcomes = await Promise.all(Array.from({ length: crowd }, () => run(batch)));
  expect(outcomes.map(({ code, stderr }) => `${code} ${stderr}`)).toEqual(outcomes.map(() => '0 '));
  for (const outcome of outcomes) {
    expect(outcome.stdout).not.toMatch(/busy|locked/i);
    const { completed = 0, unchanged = 0, ...others } = countsOf(outcome);
    expect([others, completed + unchanged]).toEqual([{}, count]);
  }
  const rendered = outcomes.flatMap(jobsOf).filter(({ state, reused }) => state === 'completed' && !reused);
  expect(new Set(rendered.map(({ source }) => source)).size).toBe(count);
  expect(rendered).toHaveLength(count);
  const inodes = new Map(place.files('out').map((name) => [name, inodeOf(place.at('out', name))]));
  expect(inodes.size).toBe(2 * count);
  const again = await place.run(batch);
  expect(countsOf(again)).toEqual({ unchanged: count });
  for (const [name, inode] of inodes) expect(inodeOf(place.at('out', name))).toBe(inode);
  await assertInvariants(place, { sources, outcome: again });
  return outcomes.map((outcome) => countsOf(outcome).completed ?? 0);
}
