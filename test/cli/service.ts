import { expect } from 'vitest';
import { formOf, PHOTO } from '../http/service.ts';
import type { Place } from './imgtool.ts';

export const SECRET = 'the secret of this test, long enough for HS256';

/** A service with tokens on free ports, and how to ask it. */
export async function serve(place: Place, ...more: readonly string[]) {
  place.put('secrets.txt', `${SECRET}\n`);
  const addresses = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const options = ['--storage', 'storage', '--jwt-secret-file', 'secrets.txt', '--preset', 'web'];
  const session = place.start(['serve', ...addresses, ...options, ...more]);
  const line = await session.line(/listening /, 'stderr');
  const [, url = '', admin = ''] = /url=(\S+) admin=(\S+)/.exec(line) ?? [];
  const { stdout } = await place.run(['token', '--sub', 'ann', '--jwt-secret-file', 'secrets.txt']);
  const token = stdout.trim();
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  const upload = (file: Buffer = PHOTO, name = 'photo.jpg') =>
    ask('/api/v1/images/upload', { method: 'POST', body: formOf([{ file, name }], { bucket: 'photos' }) });
  return { session, url, admin, token, ask, upload };
}

type Ask = Awaited<ReturnType<typeof serve>>['ask'];

/** Waits for the result as a client does. */
export async function resultOf(ask: Ask, job: string) {
  await expect.poll(async () => (await ask(`${job}/result`)).status, { timeout: 60_000 }).toBe(200);
  return (await ask(`${job}/result`)).body;
}

/** Waits for the end of a job. */
export async function endOf(ask: Ask, job: string) {
  await expect
    .poll(async () => (await ask(job)).body.status, { timeout: 60_000 })
    .toMatch(/completed|failed/);
  return (await ask(job)).body;
}
