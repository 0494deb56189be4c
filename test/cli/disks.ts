import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { finishedOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, assertTold, sourcesOf } from './invariants.ts';
import { commented, noise, putOld } from './pictures.ts';
import { readIndex } from './recorded.ts';

/** Small disks, each in its own mount namespace: other processes do not see the disk, and nobody has to unmount it. */

const WAYS = [
  ['unshare', '-m'],
  ['unshare', '-Urm'],
] as const;

/** The command that opens a mount namespace. Undefined if the system does not allow one. */
const own = WAYS.find((way) => succeeds([...way, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']));
export const canMount = own !== undefined;

/** A command prefix that mounts a disk of this size at a folder and first copies the folder's files to the disk. */
export function onDisk(folder: string, size: string): string[] {
  mkdirSync(folder, { recursive: true });
  const below = join(dirname(folder), '.below-the-disk');
  mkdirSync(below, { recursive: true });
  return [...(own ?? []), 'sh', '-c', SCRIPT, 'sh', folder, below, size];
}

/** At the end, copies the files on the disk back into the folder that the disk hid. */
const SCRIPT = `
folder=$1 below=$2 size=$3; shift 3
mount --bind "$folder" "$below" && mount -t tmpfs -o "size=$size" tmpfs "$folder" && cp -a "$below/." "$folder/" || exit 99
"$@"; code=$?
find "$below" -mindepth 1 -delete && cp -a "$folder/." "$below/" || exit 98
exit $code`;

const COUNT = 8;
const BATCH = [
  'process',
  '--json',
  '--jobs',
  '2',
  ...SMALL,
  '--variant',
  'c:w=480,q=95',
  '--out',
  'out',
  'photos',
];

/** Pictures whose outputs fill a disk bit by bit. */
export async function putFilling(): Promise<Place> {
  const place = openPlace();
  const one = await noise(480, 360);
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
  return place;
}

/** Bytes that all the outputs occupy on a disk, in whole pages. */
export async function needed(): Promise<number> {
  const place = await putFilling();
  expect((await place.run(BATCH)).code).toBe(0);
  const sizes = readdirSync(place.at('out')).map((name) => statSync(place.at('out', name)).size);
  return sizes.reduce((sum, size) => sum + Math.ceil(size / 4096) * 4096, 0);
}

/** Runs the batch with too little disk space, checks its report and its files, and continues with enough space. */
export async function assertFullAndBack(
  place: Place,
  tight: readonly string[],
  ample: readonly string[],
  how: 'resume' | 'again' = 'resume',
): Promise<number> {
  const sources = sourcesOf(place, 'photos');
  const full = await place.run(BATCH, { before: tight });
  expect(full.code, full.stdout + full.stderr).toBe(3);
  expect(full.stderr.match(/no space left/g), full.stderr).toHaveLength(1);
  expect(full.stderr).toMatch(/fix: free some space/);
  expect(full.stderr).not.toMatch(/\n\s+at |internal/);
  const left = await newest(place);
  // An index without disk space for its tables has no batch either.
  if (left !== undefined) expect(left.state).toBe('interrupted');
  else expect(jobsOf(full)).toEqual([]);
  const args = how === 'resume' && left !== undefined ? ['resume', '--json', left.id] : BATCH;
  const again = await place.run(args, { before: ample });
  expect(again.code, again.stdout + again.stderr).toBe(0);
  const { completed, unchanged, failed } = finishedOf(again).counts;
  expect([completed + unchanged, failed]).toEqual([COUNT, 0]);
  expect(place.files('out')).toHaveLength(3 * COUNT);
  assertTold(full, readIndex(place.index));
  await assertInvariants(place, { sources, outcome: again });
  return jobsOf(full).length;
}

async function newest(place: Place): Promise<{ readonly id: string; readonly state: string } | undefined> {
  const { stdout } = await place.run(['list', '--json']);
  return (JSON.parse(stdout) as { batches: { id: string; state: string }[] }).batches[0];
}

function succeeds([command = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
