import { describe, expect, it } from 'vitest';
import { FailureGroups, isLasting } from '../../src/model/failures.ts';
import type { JobEvent } from '../../src/model.ts';
import { jobOf } from '../report/samples.ts';

const failed = (source: string, message: string, code = 'corrupt', fix = 'copy it again'): JobEvent =>
  jobOf(source, { state: 'failed', error: { code, message, fix } });

function groupsOf(...events: JobEvent[]) {
  const groups = new FailureGroups();
  for (const event of events) groups.add(event);
  return groups;
}

describe('failures', () => {
  it.each([
    ['the name of their source', ['a.jpg: is empty', 'b.jpg: is empty'], 'is empty'],
    ['figures', ['12 kB of 340 kB', '1,024 kB of 2,000 kB'], '... kB of ... kB'],
    ['paths', ['its output out/a.webp exists', 'its output out/b.webp exists'], 'its output ... exists'],
    ['bytes', ['text (magic bytes 74 65 78 74)', 'text (magic bytes ad fe)'], 'text (magic bytes ...)'],
  ])('have the same cause if they differ only in %s', (_, [one = '', other = ''], message) => {
    const { all } = groupsOf(failed('a.jpg', one), failed('b.jpg', other));
    expect(all).toMatchObject([{ count: 2, sources: ['a.jpg', 'b.jpg'], error: { message } }]);
  });

  it('keep their message if it is the same for all', () => {
    const { all } = groupsOf(failed('a.jpg', '2 of 3 parts'), failed('b.jpg', '2 of 3 parts'));
    expect(all.map(({ error }) => error.message)).toEqual(['2 of 3 parts']);
  });

  it('have different causes if words, code or fix differ', () => {
    const { all } = groupsOf(
      failed('a.jpg', 'is empty'),
      failed('b.jpg', 'is cut short'),
      failed('c.jpg', 'is empty', 'not_an_image'),
      failed('d.jpg', 'is empty', 'corrupt', 'leave it out'),
    );
    expect(all).toHaveLength(4);
  });

  it('take no more memory with their number', () => {
    const same = Array.from({ length: 1_000 }, (_, at) => failed(`${at}.jpg`, 'is empty'));
    const [group] = groupsOf(...same).all;
    expect([group?.count, group?.sources]).toEqual([1_000, ['0.jpg', '1.jpg', '2.jpg', '3.jpg']]);
    const word = (at: number) => String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26), 120);
    const groups = groupsOf(...Array.from({ length: 600 }, (_, at) => failed('a.jpg', `cause ${word(at)}`)));
    expect(groups.all).toHaveLength(20);
    expect(groups.countLike(failed('a.jpg', `cause ${word(599)}`))).toBe(1);
  });

  it('are listed with the most frequent cause first', () => {
    const { all } = groupsOf(
      failed('z.jpg', 'is cut'),
      failed('b.jpg', 'is empty'),
      failed('c.jpg', 'is empty'),
    );
    expect(all.map(({ sources }) => sources[0])).toEqual(['b.jpg', 'z.jpg']);
  });
});

it.each([
  ['not_an_image', true],
  ['unsupported_format', true],
  ['corrupt', true],
  ['too_large', true],
  ['io', false],
  ['timeout', false],
  ['source_unreadable', false],
  ['output_exists', false],
])('a retry alone cannot help after %s: %s', (code, expected) => {
  expect(isLasting({ code })).toBe(expected);
});
