import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openSqliteIndex } from '../../../src/adapters/sqlite-index/index.ts';
import { repairSqliteIndex } from '../../../src/adapters/sqlite-index/maintenance/repair.ts';
import { foldName } from '../../../src/core/batch/names.ts';
import { makeOlder } from '../../cli/older.ts';
import { makePlace } from '../../place.ts';
import { countIn, fill, rootPageOf, spoil } from './filled.ts';

const COUNT = 200;
const RENAMED = [
  { from: 'aa', to: 'bb' },
  { from: 'never', to: 'made' },
];

let path: string;
beforeEach(async () => {
  path = join(makePlace(), 'state', 'index.db');
  await fill(path, COUNT);
});

const countOf = (settings: string) => countIn(path, `outputs WHERE settings = '${settings}'`);

async function rename(): Promise<void> {
  const index = await openSqliteIndex(path, foldName);
  await index.renameSettings(RENAMED);
  await index.close();
}

describe('settings digests of an older version', () => {
  it('are replaced once, in all records', async () => {
    makeOlder(path, 3);
    await rename();
    expect([countOf('aa'), countOf('bb'), countIn(path, 'former_settings')]).toEqual([0, 2 * COUNT, 0]);
    await rename();
    expect(countOf('bb')).toBe(2 * COUNT);
  });

  it('are not searched in a new index', async () => {
    await rename();
    expect([countOf('aa'), countOf('bb')]).toEqual([2 * COUNT, 0]);
  });

  it('are replaced after a repair of the index too', async () => {
    makeOlder(path, 3);
    spoil(path, [rootPageOf(path, 'outputs_by_source')]);
    expect(await repairSqliteIndex(path, foldName)).toMatchObject({ state: 'repaired' });
    await rename();
    expect([countOf('aa'), countOf('bb')]).toEqual([0, 2 * COUNT]);
  });
});
