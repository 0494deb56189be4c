import type { FastifyReply, FastifyRequest } from 'fastify';
import { isNearlyFull } from '../model/images.ts';
import type { Quota } from '../ports.ts';
import type { Site } from './options.ts';
import { Refusal } from './problem.ts';

// What is checked before the body of an upload is read.

/** Bytes of a request beside its files: fields, and the headers of its parts. */
const BESIDE_FILES = 65_536;
const LONGEST_KEY = 255;
/** Milliseconds for which the length of the queue is remembered: counting it takes time. */
const QUEUE_REMEMBERED = 2_000;
/** Seconds after which a client may try again. */
const SOON = 2;
const LATER = 60;

/** Most bytes of the body of a request with this number of files. */
export const mostBytes = ({ options: { uploads } }: Site, files: number): number =>
  files * uploads.maxUpload + BESIDE_FILES;

/** The `Idempotency-Key` of a request. Errors: `invalid_request`. */
function keyOf({ headers }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]+$/.test(key) && key.length <= LONGEST_KEY) return key;
  throw new Refusal(
    'invalid_request',
    'Idempotency-Key: expected 1 to 255 characters of ASCII without spaces',
    {
      fix: 'for example a UUID that you make for each upload',
    },
  );
}

/** Opens the way into the service, for requests with uploads. */
export function openGate(site: Site) {
  const { service, options, limits } = site;
  const { store, objects } = service;
  const { quota, maxQueue, maxUpload } = options.uploads;
  let queue = { length: 0, at: Number.NEGATIVE_INFINITY };

  async function queueLength(): Promise<number> {
    const now = performance.now();
    if (now - queue.at > QUEUE_REMEMBERED) {
      queue = { length: await store.waiting(), at: now };
    }
    return queue.length;
  }

  async function assertRoom(): Promise<void> {
    const space = await objects.space();
    if (space !== null && isNearlyFull(space)) {
      const fix = 'free some space or choose another {{storage}}';
      throw new Refusal('no_space', 'too little space is left for uploads', { fix, retryAfter: LATER });
    }
    if ((await queueLength()) < maxQueue) return;
    throw new Refusal('unavailable', 'too many images wait to be processed', { retryAfter: LATER });
  }

  /** Errors: `unsupported_media_type`, `upload_too_large`. */
  function assertFits({ headers }: FastifyRequest, files: number): void {
    if (!/^multipart\/form-data *;/i.test(headers['content-type'] ?? '')) {
      const message = 'expected a body of the type multipart/form-data';
      throw new Refusal('unsupported_media_type', message, { fix: 'for example curl -F file=@photo.jpg' });
    }
    if (Number(headers['content-length'] ?? 0) > mostBytes(site, files)) throw uploadTooLarge(maxUpload);
  }

  return {
    /**
     * Checks a request before its body is read, and returns its key. A request that repeats an earlier one is answered in
     * any case. Errors: those of the gate, `rate_limited`, `unavailable`, `no_space`.
     */
    async assertWelcome(
      request: FastifyRequest,
      reply: FastifyReply,
      { url: route, most }: { readonly url: string; readonly most: number },
    ): Promise<string | null> {
      const { owner } = request.caller;
      const left = quota && (await store.quota(owner, quota));
      showQuota(reply, left);
      const key = keyOf(request);
      const repeats = key !== null && (await store.replay(owner, { route, key })) !== undefined;
      assertFits(request, most);
      if (site.isStopping) throw new Refusal('unavailable', 'the service is stopping', { retryAfter: SOON });
      if (left !== null && left.remaining === 0 && !repeats) throw overQuota(left);
      if (!repeats) await assertRoom();
      return key;
    },
    /** Counts a request as open until `leave`. Errors: `unavailable`. */
    enter(): void {
      if (site.openUploads >= limits.uploads) {
        throw new Refusal('unavailable', 'too many uploads at the same time', { retryAfter: SOON });
      }
      site.openUploads++;
    },
    leave(): void {
      site.openUploads--;
    },
    /** Counts images that wait from now on. */
    queued(images: number): void {
      queue.length += images;
    },
  };
}

export type Gate = ReturnType<typeof openGate>;

export function showQuota(reply: FastifyReply, quota: Quota | null): void {
  if (quota === null) return;
  const { limit, remaining, resetAt } = quota;
  reply.headers({
    'x-ratelimit-limit': limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': new Date(resetAt).toISOString(),
  });
}

export function overQuota({ limit, remaining, resetAt }: Quota, now = Date.now()): Refusal {
  const retryAfter = Math.max(1, Math.ceil((resetAt - now) / 1000));
  const until = new Date(resetAt).toISOString();
  const left = remaining > 0 ? `only ${remaining} of these files are allowed` : 'no more uploads';
  const message = `${left} until ${until}: the limit is ${limit}`;
  const less = remaining > 0 ? `send at most ${remaining} now, ` : '';
  const fix = `${less}send it again then, or raise {{rateLimit}}`;
  return new Refusal('rate_limited', message, { fix, retryAfter });
}

export function uploadTooLarge(most: number): Refusal {
  const message = `the upload is larger than ${most.toLocaleString('en')} bytes`;
  return new Refusal('upload_too_large', message, { fix: 'send a smaller file, or raise {{maxUpload}}' });
}
