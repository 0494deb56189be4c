import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, expect } from 'vitest';
import { openLocalObjects } from '../../src/adapters/local-storage/objects.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite.ts';
import { hintAsFlags } from '../../src/config.ts';
import { signToken } from '../../src/http/auth.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import type { HttpOptions } from '../../src/http/options.ts';
import { openHttp } from '../../src/http/server.ts';
import { hintForUploads } from '../../src/model/failures.ts';
import type { StoredOutput } from '../../src/model.ts';
import type { Claim, ImageEnd, Store } from '../../src/ports.ts';
import type { ServeEvent } from '../../src/serve/events.ts';
import { outputKey } from '../../src/serve/keys.ts';
import { BUILT_IN, type Preset } from '../../src/variants/presets.ts';
import { documented } from './documented.ts';

export const SECRET = 'a secret of the tests, which has more than 32 bytes';
/** A photograph of some kilobytes. */
export const PHOTO = await sharp(readFileSync(new URL('../fixtures/photos/umang.jpg', import.meta.url)))
  .resize(300)
  .jpeg()
  .toBuffer();
export const RULES = { secrets: [SECRET], jwks: null, issuer: null, audience: null };

const presetOf = (name: string): Preset => BUILT_IN.find((preset) => preset.name === name)!;

/** Options as `imgtool serve` has them, with free ports. */
const OPTIONS: HttpOptions = {
  listen: { host: '127.0.0.1', port: 0 },
  admin: { host: '127.0.0.1', port: 0 },
  isAdminOpen: true,
  tokens: RULES,
  isPrivate: false,
  uploads: {
    ...{
      maxUpload: 1_000_000,
      maxFiles: 5,
      accept: ['jpeg', 'png', 'webp'],
      allowSvg: false,
      maxQueue: 10_000,
    },
    ...{ quota: { uploads: 50, window: 3_600_000 }, scan: null },
  },
  presets: { all: BUILT_IN, ofImage: presetOf('archive'), ofBatch: presetOf('gallery') },
  corsOrigins: [],
  trustProxy: [],
  publicUrl: null,
  version: '1.2.3',
  jobs: 2,
  wordHint: (hint) => hintAsFlags(hintForUploads(hint)),
};

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** What differs from the usual service. */
export interface Changes extends Partial<Omit<HttpOptions, 'uploads'>> {
  readonly uploads?: Partial<HttpOptions['uploads']>;
  readonly now?: () => number;
}

export type Service = Awaited<ReturnType<typeof startService>>;

/** A token of an owner. */
export async function tokenOf(owner: string, scope: string | null = null): Promise<string> {
  const claims = { owner, scope, lifetime: 60_000, issuer: null, audience: null };
  return (await signToken(SECRET, claims)).token;
}

/** A service on real sockets with a real store and real objects. No worker renders: `complete` does its part. */
export async function startService({ now = Date.now, uploads, ...over }: Changes = {}) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'imgtool-http-')));
  const storage = join(root, 'storage');
  const store = await openSqliteStore(join(root, 'store.db'), { now });
  const objects = openLocalObjects(storage);
  await objects.prepare();
  const events: ServeEvent[] = [];
  const dropped: string[] = [];
  let wakes = 0;
  const metrics = createMetrics();
  const emit = (event: ServeEvent) => {
    events.push(event);
    metrics.hear(event);
  };
  const worker = {
    wake: () => void wakes++,
    busy: () => 0,
    drop: async (images: readonly string[]) => void dropped.push(...images),
    stop: async () => {},
  };
  const options = { ...OPTIONS, ...over, uploads: { ...OPTIONS.uploads, ...uploads } };
  const http = await openHttp({ store, objects, emit, worker }, options, metrics);
  const close = async () => {
    await http.close();
    await store.close();
  };
  opened.push(async () => {
    await close();
    rmSync(root, { recursive: true, force: true });
  });
  const url = http.urls.service;
  const check = documented(url);

  /** Sends a request, and checks the answer against the OpenAPI document. */
  async function ask(
    path: string,
    { token, base = url, ...init }: RequestInit & Asked = {},
  ): Promise<Answer> {
    const headers = new Headers(init.headers);
    const bearer = token ?? (options.tokens === null ? null : await tokenOf('ann'));
    if (bearer !== null && bearer !== '') headers.set('authorization', `Bearer ${bearer}`);
    const response = await fetch(`${base}${path}`, { ...init, headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    const type = response.headers.get('content-type') ?? '';
    const isJson = /json/.test(type);
    const body = isJson ? JSON.parse(bytes.toString()) : bytes;
    if (base === url) await check(init.method ?? 'GET', path, response.status, type, body);
    return { status: response.status, headers: response.headers, body };
  }

  const upload = (
    file: Buffer,
    {
      path = '/api/v1/images/upload',
      fields = { bucket: 'photos' },
      name = 'photo.jpg',
      ...rest
    }: Uploaded = {},
  ) => ask(path, { method: 'POST', body: formOf([{ file, name }], fields), ...rest });

  return {
    ...{ root, storage, store, objects, http, url, events, dropped, ask, upload, close },
    wakes: () => wakes,
    /** The files in staging, also those that are not complete. */
    left: () => filesBelow(storage).filter((path) => /^(staging|\.staged)\//.test(path)),
    files: () => filesBelow(storage),
    complete: () => completeAll(store, storage),
  };
}

/** Sends files in one request. */
export const postFiles = (
  { ask }: Pick<Service, 'ask'>,
  path: string,
  files: readonly Buffer[],
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
) => {
  const named = files.map((file, i) => ({ file, name: `photo-${i + 1}.jpg` }));
  return ask(path, { method: 'POST', body: formOf(named, fields), headers });
};

interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** JSON, or a buffer. */
  readonly body: ReturnType<typeof JSON.parse>;
}

interface Asked {
  /** Empty for no token. Default: a token of Ann. */
  readonly token?: string;
  readonly base?: string;
}

interface Uploaded extends Asked {
  readonly path?: string;
  readonly fields?: Record<string, string>;
  readonly name?: string;
  readonly headers?: Record<string, string>;
}

export function formOf(
  files: readonly { readonly file: Buffer; readonly name: string }[],
  fields: Record<string, string>,
): FormData {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.append(key, value);
  for (const { file, name } of files) form.append('file', new Blob([new Uint8Array(file)]), name);
  return form;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Does the worker's part for all images that wait: one small output for each variant. */
async function completeAll(store: Store, storage: string): Promise<Claim[]> {
  const claims = await store.take('test', 1_000);
  for (const claim of claims) {
    const outputs = await Promise.all(
      claim.preset.variants.map((variant) => outputOf(claim, variant, storage)),
    );
    const end: ImageEnd = {
      ...{
        state: 'completed' as const,
        picture: { width: 400, height: 300, format: 'jpeg' },
        dominantColor: '#3a5f8c',
      },
      ...{ degraded: false, duplicateOf: null, outputs },
      ms: { digest: 1, decode: 2, encode: 3, commit: 4, total: 10 },
    };
    expect(await store.settle(claim, end)).toBe('settled');
    await store.endBatch(claim.batch);
  }
  return claims;
}

async function outputOf(
  claim: Claim,
  variant: Preset['variants'][number],
  storage: string,
): Promise<StoredOutput> {
  const key = outputKey(claim, variant);
  const image = sharp({ create: { width: 40, height: 30, channels: 3, background: '#3a5f8c' } });
  const bytes = await image.toFormat(variant.format).toBuffer();
  const objects = openLocalObjects(storage);
  const staged = await objects.stage(key);
  writeFileSync(staged.path, bytes);
  await objects.commit([staged]);
  return {
    ...{ variant: variant.name, format: variant.format, settings: randomUUID(), key, width: 40, height: 30 },
    ...{ bytes: bytes.length, checksum: createHash('sha256').update(bytes).digest('hex') },
    ...{ encoder: 'test', recipe: 1 },
  };
}
