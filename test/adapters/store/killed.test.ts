import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';
import { openSqliteStore } from '../../../src/adapters/store/sqlite.ts';
import { makePlace } from '../../place.ts';
import { random } from '../../random.ts';

/** A service whose process is killed while it accepts and works. */

const ROUNDS = 8;
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

it('keeps each upload and each end that a killed process was told of', async () => {
  const place = makePlace();
  const path = join(place, 'index.serve.db');
  const script = await bundled(place);
  const next = random(7);
  const told = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const child = spawn(process.execPath, [script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_PATH: MODULES },
    });
    const gone = once(child, 'exit');
    let left = 1 + Math.floor(next() * 30);
    for await (const line of createInterface(child.stdout)) {
      told.add(line);
      if (--left === 0) child.kill('SIGKILL');
    }
    expect((await gone)[1]).toBe('SIGKILL');
    const store = await openSqliteStore(path);
    await store.recover();
    for (const line of told) {
      const [what, id = ''] = line.split(' ');
      const image = await store.image('all', id);
      expect(image, line).toBeDefined();
      if (what === 'completed') expect(image, line).toMatchObject({ state: 'completed', outputs: [{}] });
      else expect(image?.state, line).not.toBe('processing');
    }
    await store.close();
  }
  expect([...told].some((line) => line.startsWith('completed'))).toBe(true);
});

/** The store as one file, with a program that uses it and prints what it was told. */
async function bundled(place: string): Promise<string> {
  const bundle = await rolldown({
    input: 'virtual',
    platform: 'node',
    external: 'better-sqlite3',
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'virtual' ? id : undefined),
        load: (id) => (id === 'virtual' ? PROGRAM : undefined),
      },
    ],
  });
  const file = join(place, 'program.mjs');
  await bundle.write({ file });
  await bundle.close();
  return file;
}

const at = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

const PROGRAM = `
import { writeSync } from 'node:fs';
import { openSqliteStore } from ${at('../../../src/adapters/store/sqlite.ts')};
import { completed, newUpload } from ${at('../../contract/store-steps.ts')};
const store = await openSqliteStore(process.argv[2]);
await store.recover();
for (;;) {
  const uploads = [newUpload(), newUpload(), newUpload()];
  await Promise.all(uploads.map(async (upload) => {
    await store.accept(upload);
    writeSync(1, 'accepted ' + upload.images[0].id + '\\n');
  }));
  for (const claim of await store.take('worker', 2)) {
    await store.begin(claim);
    const end = await store.settle(claim, completed(claim.id));
    writeSync(1, (end === 'settled' ? 'completed ' : end + ' ') + claim.id + '\\n');
    await store.endBatch(claim.batch);
  }
}
`;
