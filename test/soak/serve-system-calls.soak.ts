import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { membersOf } from '../cli/group.ts';
import { openPlace, type Place } from '../cli/imgtool.ts';
import { ask, assertStored, sendImage, startServe, untilIdle } from '../cli/serving.ts';
import { type Call, canTrace, openTrace, pathOf } from './tracing.ts';

const CALLS =
  'fsync,fdatasync,link,linkat,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,pwrite64,write,writev,sendto,sendmsg';

describe.skipIf(!canTrace)('the system calls for three uploads and a DELETE', () => {
  it('make the bytes and their record durable before the answer, outputs before their record, and files end before the answer to a DELETE', async () => {
    const place = openPlace();
    const trace = openTrace(place, CALLS);
    const served = await startServe(place, ['--jobs', '2', '--preset', 'archive'], { before: trace.before });
    const answers = [];
    for (const file of photographs(3)) answers.push(await sendImage(served, file));
    await untilIdle(served);
    const gone = answers.at(-1)!.body;
    const { body: result } = await ask(`${served.url}/api/v1/images/${gone.image_id}/all`);
    expect((await ask(`${served.url}/api/v1/images/${gone.image_id}`, { method: 'DELETE' })).status).toBe(
      204,
    );
    stopTraced(served.session.pid);
    await served.session.ended;
    const { images, outputs } = assertStored(place);
    expect(images.map(({ state }) => state)).toEqual(['completed', 'completed']);
    const calls = trace.calls();
    const store = place.index.replace(/\.db$/, '.serve.db');

    for (const [i, { status, body }] of answers.entries()) {
      expect(status).toBe(202);
      const steps = acceptance(calls, place, store, body.image_id);
      assertOrder(`upload ${i}`, steps);
    }
    for (const { key, checksum } of outputs) {
      const { steps, image } = recording(calls, place, store, key, checksum);
      assertOrder(key, steps);
      const removed = find(
        calls,
        `the end of the staged bytes of ${image}`,
        ({ name, args, ok }) =>
          ok && /^unlink/.test(name) && args.includes(place.at('storage', 'staging', image)),
      );
      expect(
        removed.begun,
        `the staged bytes of ${image} stay until its outputs are durable`,
      ).toBeGreaterThan(steps.at(-1)!.done);
    }
    const urls = Object.values<string>(result.urls);
    for (const url of urls)
      assertOrder(`DELETE of ${url}`, deletion(calls, place.at(url.slice(1)), store, gone.image_id));
    assertFolders(calls, place, store);
    console.log(
      `${answers.length} uploads, ${outputs.length} outputs and a DELETE of ${urls.length} outputs in order`,
    );
  });
});

/** Staged file synced, named, its folder synced, recorded, the log of the store synced, answered. */
function acceptance(calls: readonly Call[], place: Place, store: string, image: string): Call[] {
  const answer = find(
    calls,
    `the answer for ${image}`,
    ({ name, args }) =>
      /^(write|writev|send\w+)$/.test(name) && args.includes('HTTP/1.1 202') && args.includes(image),
  );
  return [...made(calls, place.at('storage', 'staging', image)), ...recorded(calls, store, image), answer];
}

/** The same for an output, without an answer. */
function recording(calls: readonly Call[], place: Place, store: string, key: string, checksum: string) {
  const [, image = ''] = /([\da-f-]{36})_[^/]+$/.exec(key) ?? [];
  return { image, steps: [...made(calls, place.at('storage', key)), ...recorded(calls, store, checksum)] };
}

/** The image is hidden, the log of the store synced, the file removed, its folder synced, the request answered. */
function deletion(calls: readonly Call[], path: string, store: string, image: string): Call[] {
  const isRemoval = ({ name, args, ok }: Call) => ok && /^unlink/.test(name) && args.includes(`"${path}"`);
  const removed = find(calls, `the end of ${path}`, isRemoval);
  const before = calls.filter(({ done }) => done < removed.begun);
  const hidden = find(before.toReversed(), `the mark of ${image}`, (call) => isRecord(call, store, image));
  const synced = find(before, 'its sync', (call) => isSync(call, `${store}-wal`) && call.begun > hidden.done);
  const isKept = (call: Call) => isSync(call, dirname(path)) && call.begun > removed.done;
  const answer = find(calls, 'the answer', ({ args }) => args.includes('HTTP/1.1 204'));
  return [hidden, synced, removed, find(calls, `the sync of the folder of ${path}`, isKept), answer];
}

function made(calls: readonly Call[], path: string): Call[] {
  const named = find(
    calls,
    `the name ${path}`,
    ({ name, args, ok }) => ok && /^(link|rename)/.test(name) && args.includes(`"${path}"`),
  );
  const staged = pathOf(named);
  expect(staged).toMatch(/\/\.staged\/\w+-\d+\.tmp$/);
  const synced = find(calls, `the sync of ${staged}`, (call) => isSync(call, staged));
  const folder = dirname(path);
  const kept = find(
    calls,
    `the sync of ${folder}`,
    (call) => isSync(call, folder) && call.begun > named.done,
  );
  return [synced, named, kept];
}

/** The first write to the log of the store with this text, and the sync of the log that follows. */
function recorded(calls: readonly Call[], store: string, text: string): Call[] {
  const log = `${store}-wal`;
  const written = find(calls, `the record of ${text}`, (call) => isRecord(call, store, text));
  const synced = find(calls, `the sync of ${log}`, (call) => isSync(call, log) && call.begun > written.done);
  return [written, synced];
}

/** New folders in storage, and the log of the store, are durable names before anything in them counts. */
function assertFolders(calls: readonly Call[], place: Place, store: string): void {
  const root = place.at('storage');
  const makes = calls.filter(({ name, args, ok }) => ok && /^mkdir/.test(name) && args.includes(`"${root}`));
  expect(makes.length).toBeGreaterThan(6);
  for (const make of makes) {
    const folder = pathOf(make);
    const synced = find(
      calls,
      `the sync of ${dirname(folder)}`,
      (call) => isSync(call, dirname(folder)) && call.begun > make.done,
    );
    const inIt = calls.find(
      ({ name, args, ok }) =>
        ok && /^(link|rename)/.test(name) && args.includes(`"${folder}/`) && !args.includes(`"${folder}/"`),
    );
    if (inIt === undefined || folder.endsWith('.staged')) continue;
    const next = calls.find(
      ({ name, args, begun }) => name === 'pwrite64' && args.includes(`<${store}-wal>`) && begun > inIt.done,
    );
    expect(synced.done, `${folder} is durable before what is in it is recorded`).toBeLessThan(
      next?.begun ?? Number.POSITIVE_INFINITY,
    );
  }
  const first = find(calls, 'the first answer', ({ args }) => args.includes('HTTP/1.1 202'));
  const log = find(calls, 'the sync of the folder of the store', (call) => isSync(call, dirname(store)));
  expect(log.done).toBeLessThan(first.begun);
}

function assertOrder(what: string, steps: readonly Call[]): void {
  for (const [i, step] of steps.slice(1).entries())
    expect(step.begun, `${what}: ${step.name} comes after ${steps[i]!.name}`).toBeGreaterThan(steps[i]!.done);
  console.log(`${what}: ${steps.map(({ name, done }) => `${name} (line ${done})`).join(', ')}`);
}

const isSync = ({ name, args, ok }: Call, path: string) =>
  ok && /^f(data)?sync$/.test(name) && args.includes(`<${path}>`);

/** Whether the call writes this text to the log of the store. */
const isRecord = ({ name, args }: Call, store: string, text: string) =>
  name === 'pwrite64' && args.includes(`<${store}-wal>`) && args.includes(text);

function find(calls: readonly Call[], what: string, is: (call: Call) => boolean): Call {
  const found = calls.find(is);
  if (found === undefined) throw new Error(`not found: ${what}`);
  return found;
}

/** The service is the child of its tracer, which ends with it. */
function stopTraced(tracer: number): void {
  const service = membersOf(tracer).find(({ parent }) => parent === tracer);
  if (service !== undefined) process.kill(service.pid, 'SIGTERM');
}

function photographs(count: number): Buffer[] {
  const from = fileURLToPath(new URL('../fixtures/photos', import.meta.url));
  const names = readdirSync(from).filter((name) => name.endsWith('.jpg'));
  return names.slice(0, count).map((name) => readFileSync(`${from}/${name}`));
}
