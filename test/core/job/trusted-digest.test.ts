import { describe, expect, it } from 'vitest';
import { trustedDigest } from '../../../src/core/job/decide.ts';
import { sha, sourceRecord } from '../../records.ts';

const SOURCE = '/photos/a.jpg';
const DIGEST = sha('bytes');

describe('a recorded digest', () => {
  const at = (mtimeMs: number, seenAt: number) =>
    sourceRecord(SOURCE, { mtime: `${mtimeMs}000000`, seenAt, digest: DIGEST });

  it('is trusted when size, time and inode are as recorded', () => {
    const record = at(1_000_000, 1_002_000);
    const { size, mtime, ino, ctime } = record;
    expect(trustedDigest({ size, mtime, ino, ctime }, record)).toBe(DIGEST);
  });

  it('is trusted when no ctime is recorded or ctimes are ignored', () => {
    const record = at(1_000_000, 1_002_000);
    expect(trustedDigest(record, { ...record, ctime: null })).toBe(DIGEST);
    expect(trustedDigest({ ...record, ctime: null }, record)).toBe(DIGEST);
  });

  it.each(['size', 'mtime', 'ino', 'ctime'] as const)('is not trusted when the %s differs', (field) => {
    const record = at(1_000_000, 1_002_000);
    expect(trustedDigest({ ...record, [field]: field === 'size' ? 5 : '5' }, record)).toBeUndefined();
  });

  it('is not trusted when the source was modified less than two seconds before the check', () => {
    const record = at(1_000_000, 1_001_999);
    expect(trustedDigest(record, record)).toBeUndefined();
  });

  it('is undefined for an unknown source', () => {
    expect(trustedDigest(sourceRecord(SOURCE), undefined)).toBeUndefined();
  });
});
