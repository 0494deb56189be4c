import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { createDeflate } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { canSeeProcesses, membersOf } from '../cli/group.ts';
import { openPlace } from '../cli/imgtool.ts';
import { commented, picture } from '../cli/pictures.ts';
import {
  ask,
  assertStored,
  type Served,
  sendImage,
  startServe,
  stopServe,
  tokenOf,
  untilIdle,
} from '../cli/serving.ts';
import { LAST_PART, openRaw, part, uploadHead } from '../http/raw.ts';
import { chunk, number } from '../image/png-writer.ts';

// It takes minutes to remove 20,000 files.
vi.setConfig({ testTimeout: 7_200_000, hookTimeout: 600_000 });

const FIXTURES = join(import.meta.dirname, '../fixtures/photos');
const LARGE = Number(process.env.LARGE ?? 64);
const BOMBS = Number(process.env.BOMBS ?? 100);
const MANY = Number(process.env.UPLOADS ?? 20_000);
const MOST = 700_000_000;
/** Images that keep the children busy until all others wait. */
const BEFORE = 4;
const ARGS = ['--jobs', '2', '--rate-limit', '1000000/1h', '--max-queue', '1000000'];

describe.skipIf(!canSeeProcesses)('the memory of the service', () => {
  it.each<[string, () => Promise<Buffer>, string]>([
    ['photographs', photoOf10MB, 'auto'],
    // An encoder needs several times the memory for noise.
    ['noise, with --memory 500M,', noiseOf10MB, '500M'],
  ])(
    `stays below ${MOST / 1e6} MB with ${LARGE} uploads of 10 MB at once of %s while ${BOMBS} pixel bombs wait`,
    async (_, make, memory) => {
      const place = openPlace();
      const served = await startServe(place, [...ARGS, '--preset', 'archive', '--memory', memory]);
      const photo = await make();
      const bomb = await pixelBomb();
      const sampler = sampleMemory(served);
      const send = (i: number) => sendRaw(served, [commented(photo, `${i}`)]);
      const before = await Promise.all(Array.from({ length: BEFORE }, (_, i) => send(LARGE + i)));
      const bombs = await sendRaw(
        served,
        Array.from({ length: BOMBS }, (_, i) => numbered(bomb, i)),
        '/upload',
      );
      const large = await Promise.all(Array.from({ length: LARGE }, (_, i) => send(i)));
      expect(new Set([...before, ...large].map(({ image_id }) => image_id)).size).toBe(BEFORE + LARGE);
      const received = sampler.most();
      const stats = (await ask(`${served.admin}/api/v1/health/stats`)).body.status_breakdown;
      await untilIdle(served, 3_600_000);
      const { tree, parent } = sampler.stop();
      console.log(`photo ${megabytes(photo.length)}, bomb ${megabytes(bomb.length)}`);
      console.log(`waiting once all were accepted: ${JSON.stringify(stats)}`);
      console.log(
        `most PSS: tree ${megabytes(tree)}, of it the parent ${megabytes(parent)}; while receiving ${megabytes(received.tree)}`,
      );
      const last = await ask(`${served.url}/batch/${bombs.batch_id}`);
      expect(last.body.failed).toBe(BOMBS);
      await stopServe(served);
      const { images } = assertStored(place);
      const failed = images.filter(({ error_code }) => error_code !== null);
      expect(failed.map(({ error_code }) => error_code)).toEqual(Array(BOMBS).fill('too_large'));
      expect(tree).toBeLessThan(MOST);
    },
  );

  it(`of its parent process after ${MANY} uploads is within 1.2 times of that after 500`, async () => {
    const place = openPlace();
    const served = await startServe(place, [...ARGS, '--variant', 'a:w=16']);
    const tiny = await picture({ width: 24, height: 16 });
    const sizes: string[] = [];
    let sent = 0;
    const until = async (count: number) => {
      const client = async () => {
        while (sent < count) {
          const i = sent++;
          const { status } = await sendImage(served, commented(tiny, `${i}`), { key: `key-${i}` });
          expect(status).toBe(202);
        }
      };
      await Promise.all(Array.from({ length: 8 }, client));
      await untilIdle(served, 7_200_000);
      // Garbage collection has had time: the least of some samples counts.
      const samples: number[] = [];
      for (let i = 0; i < 10; i++) {
        await passes(300);
        samples.push(pssOf(served.session.pid));
      }
      const least = Math.min(...samples);
      sizes.push(`${sent}: ${megabytes(least)}`);
      console.log(sizes.at(-1));
      return least;
    };
    const early = await until(500);
    for (let count = 2_000; count < MANY; count += 3_000) await until(count);
    const late = await until(MANY);
    await stopServe(served);
    console.log(`PSS of the parent after uploads: ${sizes.join(', ')}; ${(late / early).toFixed(2)} times`);
    expect(late).toBeLessThan(1.2 * early);
  });
});

/** Bytes of memory of a process, where each shared page counts in part. */
function pssOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024;
  } catch {
    // The process has ended.
    return 0;
  }
}

/** Measures a service with all its processes, as often as it can. */
function sampleMemory({ session: { pid } }: Served) {
  const most = { tree: 0, parent: 0 };
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      const parent = pssOf(pid);
      const others = membersOf(pid).filter((one) => one.pid !== pid);
      const tree = others.reduce((sum, one) => sum + pssOf(one.pid), parent);
      most.tree = Math.max(most.tree, tree);
      most.parent = Math.max(most.parent, parent);
      await passes(50);
    }
  })();
  sampling.catch(() => {});
  return {
    most: () => ({ ...most }),
    stop() {
      isOver = true;
      return most;
    },
  };
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Sends files as they are: a client that makes forms would need more time than the service. Returns the answer. */
async function sendRaw({ url }: Served, files: readonly Buffer[], path?: string) {
  const parts = [part('bucket', 'photos'), ...files.map((file, i) => part('file', file, `${i}`)), LAST_PART];
  const body = Buffer.concat(parts);
  const head = uploadHead(await tokenOf('ann'), [`Content-Length: ${body.length}`], path);
  const { socket, received } = await openRaw(url);
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(body);
  const [, json = ''] = await received(/^HTTP\/1\.1 202 [\s\S]*\r\n\r\n(\{.*\})$/);
  socket.destroy();
  return JSON.parse(json) as { readonly image_id: string; readonly batch_id: string };
}

const LARGE_SIZE = { width: 6_000, height: 4_000 };

/** A JPEG of 24 megapixels, as large as an upload can be: the photographs of the fixtures side by side. */
async function photoOf10MB(): Promise<Buffer> {
  const photos = readdirSync(FIXTURES).filter((name) => name.endsWith('.jpg'));
  const tiles = await Promise.all(
    photos.map(async (name) => {
      const pipeline = sharp(join(FIXTURES, name)).autoOrient().resize(1_000, 1_000, { fit: 'cover' });
      return pipeline.png({ compressionLevel: 0 }).toBuffer();
    }),
  );
  const places = Array.from({ length: 24 }, (_, i) => ({
    left: (i % 6) * 1_000,
    top: Math.floor(i / 6) * 1_000,
  }));
  const layers = places.map((place, i) => ({ ...place, input: tiles[i % tiles.length] }));
  const empty = { create: { ...LARGE_SIZE, channels: 3, background: 'grey' } } as const;
  return largestJpeg(await sharp(empty).composite(layers).png({ compressionLevel: 0 }).toBuffer());
}

/** A JPEG of 24 megapixels of noise, as large as an upload can be. */
async function noiseOf10MB(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 25 } as const;
  const create = { ...LARGE_SIZE, channels: 3, background: 'grey', noise } as const;
  return largestJpeg(await sharp({ create }).png({ compressionLevel: 0 }).toBuffer());
}

/** The largest JPEG of this picture that an upload may be. */
async function largestJpeg(picture: Buffer): Promise<Buffer> {
  let best = Buffer.alloc(0);
  for (const quality of [60, 70, 75, 80, 85, 90, 95, 98, 99, 100]) {
    const jpeg = await sharp(picture)
      .jpeg({ quality, chromaSubsampling: quality > 90 ? '4:4:4' : '4:2:0' })
      .toBuffer();
    if (jpeg.length > 9_990_000) break;
    best = jpeg;
  }
  return best;
}

/** A PNG with one colour and 2.5 thousand million pixels, of about a megabyte. */
async function pixelBomb(): Promise<Buffer> {
  const size = 50_000;
  // Four bits of grey for each pixel.
  const header = Buffer.concat([number(size, 4), number(size, 4), Buffer.from([4, 0, 0, 0, 0])]);
  const deflate = createDeflate({ level: 9 });
  const parts: Buffer[] = [];
  deflate.on('data', (one: Buffer) => parts.push(one));
  const rows = Buffer.alloc(100 * (size / 2 + 1));
  for (let row = 0; row < size; row += 100)
    if (!deflate.write(rows)) await new Promise((resolve) => deflate.once('drain', resolve));
  await new Promise((resolve) => {
    deflate.once('end', resolve);
    deflate.end();
  });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', Buffer.concat(parts)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

/** The same PNG with other bytes. */
function numbered(png: Buffer, number: number): Buffer {
  const after = 8 + 25;
  return Buffer.concat([
    png.subarray(0, after),
    chunk('tEXt', Buffer.from(`n\0${number}`)),
    png.subarray(after),
  ]);
}
