import { describe, expect, it } from 'vitest';
import { openKnown } from '../../../src/core/watch/known.ts';

const FACTS = { size: 10, mtime: '1', ino: '1', ctime: '1' };

describe('the known files of a watch', () => {
  it('are unchanged as long as size, mtime, inode and ctime are the same', () => {
    const known = openKnown();
    expect(known.meet('/p/a', FACTS)).toBe(false);
    known.note('/p/a', FACTS, 'taken');
    expect(known.meet('/p/a', { ...FACTS })).toBe(true);
    for (const change of [{ size: 11 }, { mtime: '2' }, { ino: '2' }, { ctime: '2' }]) {
      expect(known.meet('/p/a', { ...FACTS, ...change })).toBe(false);
    }
    expect([known.has('/p/a'), known.has('/p/b'), known.all().length]).toEqual([true, false, 1]);
  });

  it('are unchanged as outputs even with another ctime, which each new link changes', () => {
    const known = openKnown();
    known.note('/p/a', FACTS, 'output');
    expect(known.meet('/p/a', { ...FACTS, ctime: '2' })).toBe(true);
    expect(known.meet('/p/a', { ...FACTS, mtime: '2' })).toBe(false);
  });

  it('are known by their latest facts, and unknown after they are dropped', () => {
    const known = openKnown();
    known.note('/p/a', FACTS, 'taken');
    known.note('/p/a', { ...FACTS, size: 11 }, 'taken');
    expect([known.meet('/p/a', FACTS), known.meet('/p/a', { ...FACTS, size: 11 })]).toEqual([false, true]);
    known.drop('/p/a');
    known.drop('/p/never');
    expect([known.has('/p/a'), known.all().length]).toEqual([false, 0]);
  });

  it('are not met in a round without meet or note', () => {
    const known = openKnown();
    for (const path of ['/p/a', '/p/b', '/p/c']) known.note(path, FACTS, 'taken');
    expect(known.notMet()).toEqual([]);
    known.nextRound();
    expect(known.notMet()).toEqual(['/p/a', '/p/b', '/p/c']);
    known.meet('/p/a', FACTS);
    known.meet('/p/b', { ...FACTS, size: 11 });
    known.note('/p/d', FACTS, 'taken');
    expect(known.notMet()).toEqual(['/p/c']);
    known.nextRound();
    expect(known.notMet()).toHaveLength(4);
  });

  it('are below a folder only if its whole name matches', () => {
    const known = openKnown();
    for (const path of ['/p/a/x', '/p/a/b/y', '/p/ab', '/p/a-b/z', '/p/a', 'C:\\a\\x'])
      known.note(path, FACTS, 'taken');
    expect(known.below('/p/a')).toEqual(['/p/a/x', '/p/a/b/y']);
    expect(known.below('C:\\a')).toEqual(['C:\\a\\x']);
    expect(known.below('/q')).toEqual([]);
  });
});
