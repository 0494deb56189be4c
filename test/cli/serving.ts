import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { expect } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { signToken } from '../../src/http/auth.ts';
import { filesBelow, type Options, type Place, type Session } from './imgtool.ts';

/** The service of the real binary with tokens, on free ports, and what it has stored. */

const SECRET = 'the secret of these tests, long enough for HS256';
const DAY = 86_400_000;

export interface Served {
  readonly session: Session;
  readonly url: string;
  readonly admin: string;
}

/** An answer with its body as JSON, or as bytes. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads fields that the contract names
  readonly body: any;
}

/** Starts the service in the folder `storage`. Resolves once it listens. */
export async function startServe(
  place: Place,
  args: readonly string[] = [],
  options?: Options,
): Promise<Served> {
  return listening(beginServe(place, args, options));
}

/** Starts the service, and does not wait. */
export function beginServe(place: Place, args: readonly string[] = [], options?: Options): Session {
  place.put('secrets.txt', `${SECRET}\n`);
  const usual = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--jwt-secret-file', 'secrets.txt'];
  return place.start(['serve', ...usual, '--storage', 'storage', ...args], options);
}

export async function listening(session: Session): Promise<Served> {
  const line = await session.line(/listening /, 'stderr');
  const [, url = '', admin = ''] = /url=(\S+) admin=(\S+)/.exec(line) ?? [];
  return { session, url, admin };
}

/** Stops a service, and waits for its end. */
export async function stopServe({ session }: Served) {
  session.signal('SIGTERM');
  return session.ended;
}

const tokens = new Map<string, Promise<{ token: string }>>();

export async function tokenOf(owner: string): Promise<string> {
  const claims = { owner, scope: 'admin', lifetime: DAY, issuer: null, audience: null };
  const signed = tokens.get(owner) ?? signToken(SECRET, claims);
  tokens.set(owner, signed);
  return (await signed).token;
}

export async function ask(url: string, init: RequestInit = {}, owner = 'ann'): Promise<Answer> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${await tokenOf(owner)}`);
  const response = await fetch(url, { ...init, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(`${bytes}`) : bytes,
  };
}

interface Sent {
  readonly key?: string;
  readonly owner?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** Sends one picture as the clients of the seeds do. */
export function sendImage({ url }: Pick<Served, 'url'>, file: Buffer, sent: Sent = {}): Promise<Answer> {
  const body = new FormData();
  body.append('file', new Blob([new Uint8Array(file)], { type: 'image/jpeg' }), 'photo.jpg');
  const fields = { bucket: 'photos', ...sent.fields };
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const headers: Record<string, string> = sent.key === undefined ? {} : { 'idempotency-key': sent.key };
  return ask(`${url}/api/v1/images/upload`, { method: 'POST', body, headers }, sent.owner);
}

/** The figure of a metric without labels, or of the sample with these labels. */
export async function metricOf({ admin }: Served, sample: string): Promise<number> {
  const text = `${(await ask(`${admin}/metrics`)).body}`;
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1) ?? 0);
}

/** Resolves once no image waits and none is in work. */
export async function untilIdle(served: Served, timeout = 300_000): Promise<void> {
  const stats = async () => {
    const { body } = await ask(`${served.admin}/api/v1/health/stats`);
    return body.status_breakdown.pending + body.status_breakdown.processing;
  };
  await expect.poll(stats, { timeout, interval: 100 }).toBe(0);
  await expect.poll(() => metricOf(served, 'imgtool_images_in_work'), { timeout, interval: 20 }).toBe(0);
}

interface StoredImage {
  readonly id: string;
  readonly owner: string;
  readonly state: string;
  readonly taken: number;
  readonly attempts: number;
  readonly error_code: string | null;
}

/** Reads the store of a service that has ended. */
export function storedIn(place: Place) {
  const db = keep(new Sqlite(place.index.replace(/\.db$/, '.serve.db'), { readonly: true }));
  try {
    const all = <T>(sql: string) => keep(db.prepare<[], T>(sql)).all();
    return {
      images: all<StoredImage>(
        'SELECT id, owner, state, taken, attempts, error_code FROM images WHERE deleted_at IS NULL',
      ),
      hidden: all<StoredImage>(
        'SELECT id, owner, state, taken, attempts, error_code FROM images WHERE deleted_at IS NOT NULL',
      ),
      outputs: all<{ key: string; checksum: string; bytes: number }>(
        'SELECT key, checksum, bytes FROM outputs',
      ),
      open: all<{ id: string }>('SELECT id FROM batches WHERE completed_at IS NULL'),
      problems: all<{ integrity_check: string }>('PRAGMA integrity_check'),
    };
  } finally {
    db.close();
  }
}

/** The files in storage without the lock of a service. The staged ones lie in `.staged` and `staging`. */
export function filesOf(place: Place): { readonly staged: string[]; readonly outputs: string[] } {
  const there = existsSync(place.at('storage')) ? filesBelow(place.at('storage')) : [];
  const all = there.filter((path) => !path.startsWith('.imgtool.runs/'));
  const isStaged = (path: string) => /^(\.staged|staging)\//.test(path);
  return { staged: all.filter(isStaged), outputs: all.filter((path) => !isStaged(path)) };
}

/**
 * What holds for a service that has ended and had no work left: every output has its row with the checksum, every row its
 * file, nothing is staged, and no image and no batch is open. Returns what is stored.
 */
export function assertStored(place: Place) {
  const stored = storedIn(place);
  const files = filesOf(place);
  expect(stored.problems).toEqual([{ integrity_check: 'ok' }]);
  expect(files.outputs).toEqual(stored.outputs.map(({ key }) => key).sort());
  for (const { key, checksum, bytes } of stored.outputs) {
    const file = readFileSync(place.at('storage', key));
    const found = { bytes: file.length, checksum: createHash('sha256').update(file).digest('hex') };
    expect(found, key).toEqual({ bytes, checksum });
  }
  expect(stored.open).toEqual([]);
  expect(stored.hidden).toEqual([]);
  const waiting = stored.images.filter(({ state }) => !['completed', 'duplicate', 'failed'].includes(state));
  expect(waiting).toEqual([]);
  return stored;
}
