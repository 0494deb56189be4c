import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestAll, openSource } from '../../src/image/open.ts';
import { makePlace } from '../place.ts';
import { named } from './pictures.ts';

it('gives a file of several chunks the same digest as openSource', async () => {
  const path = join(makePlace(), 'large');
  writeFileSync(path, Buffer.alloc(5 * 2 ** 19, 'many bytes'));
  const { facts, digest } = await openSource(path);
  expect(await digestAll([named(path)])).toEqual([{ facts, digest }]);
});

it('gives null for a file above the size limit', async () => {
  const path = join(makePlace(), 'eleven');
  writeFileSync(path, 'eleven byte');
  expect(await digestAll([named(path)], 10)).toEqual([null]);
  expect(await digestAll([named(path)], 11)).toMatchObject([{ facts: { size: 11 } }]);
});

it('never waits on a pipe, and reads only regular files', async () => {
  const place = makePlace();
  const pipe = join(place, 'pipe');
  execFileSync('mkfifo', [pipe]);
  mkdirSync(join(place, 'folder'));
  expect(await digestAll([pipe, join(place, 'folder'), '/dev/zero'].map(named))).toEqual([null, null, null]);
});
