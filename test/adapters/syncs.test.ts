import { describe, expect, it } from 'vitest';
import { openSyncs } from '../../src/adapters/syncs.ts';

/** Syncs that the test ends. */
function syncsToEnd() {
  const begun: { folder: string; end(error?: Error): void }[] = [];
  const sync = openSyncs(
    (folder) =>
      new Promise((resolve, reject) => {
        begun.push({ folder, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  );
  return { sync, begun, folders: () => begun.map(({ folder }) => folder) };
}

describe('syncs', () => {
  it('begin at once if no sync is in progress, separately for each path', async () => {
    const { sync, begun, folders } = syncsToEnd();
    const both = [sync('/a'), sync('/b')];
    expect(folders()).toEqual(['/a', '/b']);
    for (const one of begun) one.end();
    await Promise.all(both);
  });

  it('that are requested during another sync share one sync that begins afterwards', async () => {
    const { sync, begun, folders } = syncsToEnd();
    const first = sync('/a');
    let isServed = false;
    const later = Promise.all([sync('/a'), sync('/a'), sync('/a')]).then(() => {
      isServed = true;
    });
    expect(folders()).toEqual(['/a']);
    begun[0]!.end();
    await first;
    await expect.poll(folders).toEqual(['/a', '/a']);
    expect(isServed).toBe(false);
    begun[1]!.end();
    await later;
    const last = sync('/a');
    expect(folders()).toEqual(['/a', '/a', '/a']);
    begun[2]!.end();
    await last;
  });

  it('that fail do not fail earlier or later requests', async () => {
    const { sync, begun, folders } = syncsToEnd();
    const asked = [sync('/a'), sync('/a')];
    const ended = Promise.allSettled(asked);
    begun[0]!.end(new Error('broken'));
    await expect.poll(folders).toEqual(['/a', '/a']);
    begun[1]!.end();
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    const again = sync('/a');
    begun[2]!.end(new Error('broken again'));
    await expect(again).rejects.toThrow('broken again');
  });
});
