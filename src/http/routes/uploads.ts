import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Preset } from '../../model.ts';
import type { Accepted } from '../../ports.ts';
import { acceptUpload, type UploadedFile } from '../../serve/accept.ts';
import { batchPath, jobPath } from '../bodies.ts';
import { readFields } from '../fields.ts';
import { type Gate, openGate, overQuota, showQuota } from '../gate.ts';
import type { Site } from '../options.ts';
import { asRefusal, Refusal } from '../problem.ts';
import { scanFiles } from '../scan.ts';
import {
  ANSWERS,
  answers,
  BATCH_FIELDS,
  IDEMPOTENCY_KEY,
  IMAGE_FIELDS,
  type ObjectSchema,
} from '../schemas.ts';
import { endOf, type ReceivedUpload, receiveUpload } from '../upload.ts';

/** How a route takes uploads. */
interface UploadRoute {
  readonly url: string;
  readonly summary: string;
  readonly isBatch: boolean;
  readonly most: number;
  readonly preset: Preset;
  readonly fields: ObjectSchema;
  readonly answer: ObjectSchema;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The schema of a multipart body, for the OpenAPI document: its fields are checked once they are read. */
    multipart?: { readonly fields: ObjectSchema; readonly file: 'file' | 'files' };
  }
}

export function uploadRoutes(app: FastifyInstance, site: Site): void {
  const { presets, uploads } = site.options;
  const image = {
    isBatch: false,
    most: 1,
    preset: presets.ofImage,
    fields: IMAGE_FIELDS,
    answer: ANSWERS.accepted,
  };
  const batch = {
    // More files than the whole limit of an owner could never be accepted.
    ...{
      isBatch: true,
      most: Math.min(uploads.maxFiles, uploads.quota?.uploads ?? Infinity),
      preset: presets.ofBatch,
    },
    ...{ fields: BATCH_FIELDS, answer: ANSWERS.acceptedBatch },
  };
  const gate = openGate(site);
  const ways: readonly UploadRoute[] = [
    { ...image, url: '/api/v1/images/upload', summary: 'upload an image' },
    { ...batch, url: '/upload', summary: 'upload images as one batch' },
    { ...batch, url: '/batch', summary: 'upload images as one batch' },
  ];
  for (const way of ways) uploadRoute(app, site, gate, way);
}

function uploadRoute(app: FastifyInstance, site: Site, gate: Gate, way: UploadRoute): void {
  const { service, options } = site;
  const { store, worker } = service;
  const { quota } = options.uploads;

  async function take(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { owner } = request.caller;
    const key = await gate.assertWelcome(request, reply, way);
    gate.enter();
    const gone = endOf(reply);
    const staged: UploadedFile[] = [];
    try {
      const received = await receiveUpload(request, reply, site, { ...way, staged, gone });
      const asked = askedOf(request, received, way, site);
      // The client has sent all: from here on, no time of its own runs.
      const files = await scanFiles(received.files, site, way.isBatch, gone);
      const { body, batch } = bodyOf(files, way.isBatch);
      const fingerprint = fingerprintOf(asked, files);
      const { metadata, bucket, preset } = asked;
      const accepted = await acceptUpload(service, {
        ...{ batch, owner, bucket, preset, metadata, files, quota },
        key: key === null ? null : { route: way.url, key, fingerprint, body },
      });
      if (accepted.type === 'accepted') gate.queued(files.length);
      return send(reply, accepted, body);
    } catch (error) {
      await countRefused(reply, owner, error);
      throw error;
    } finally {
      await Promise.all(staged.map((file) => file.staged?.discard())).finally(gate.leave);
    }
  }

  function send(reply: FastifyReply, accepted: Accepted, body: string): FastifyReply {
    if (accepted.type === 'key_reused') throw keyReused();
    showQuota(reply, accepted.quota);
    if (accepted.type === 'over_quota') throw overQuota(accepted.quota);
    if (accepted.type === 'accepted') worker.wake();
    else reply.header('idempotency-replayed', 'true');
    return reply
      .code(202)
      .type('application/json')
      .send(accepted.type === 'replayed' ? accepted.body : body);
  }

  /** A file that is refused counts too: bad files must not be free of charge. */
  async function countRefused(reply: FastifyReply, owner: string, error: unknown): Promise<void> {
    const { code, status } = asRefusal(error);
    if (quota === null || status >= 500 || ['rate_limited', 'key_reused'].includes(code)) return;
    showQuota(reply, await store.countRefused(owner, 1, quota));
  }

  app.post(
    way.url,
    {
      config: { multipart: { fields: way.fields, file: way.isBatch ? 'files' : 'file' } },
      schema: {
        summary: way.summary,
        headers: {
          type: 'object',
          properties: { 'idempotency-key': IDEMPOTENCY_KEY },
        },
        response: answers(202, 'accepted: the images wait to be processed', way.answer),
      },
    },
    take,
  );
}

function keyReused(): Refusal {
  return new Refusal('key_reused', 'an earlier request with this Idempotency-Key asked for something else', {
    fix: 'make a new key for each upload',
  });
}

/** The body of the answer with new ids, as text that a later request with the same key gets too. */
function bodyOf(files: readonly UploadedFile[], isBatch: boolean) {
  const batch = randomUUID();
  const [file] = files;
  const message = 'Upload accepted. Processing initiated.';
  if (!isBatch && file !== undefined) {
    const { job, image } = file;
    return {
      batch,
      body: JSON.stringify({ job_id: job, image_id: image, status_url: jobPath(job), message }),
    };
  }
  const images = files.map(({ image, job, name, error }) => ({
    ...{ image_id: image, job_id: job, image_name: name },
    ...{ state: error === null ? 'pending' : 'failed', error: error?.message ?? null },
  }));
  return { batch, body: JSON.stringify({ batch_id: batch, status_url: batchPath(batch), message, images }) };
}

/** What a request asks for. Errors: `invalid_request`. */
function askedOf(request: FastifyRequest, received: ReceivedUpload, way: UploadRoute, { options }: Site) {
  if (received.files.length === 0) {
    throw new Refusal('invalid_request', 'the request has no file', {
      fix: 'send a part with a file, named file',
    });
  }
  return readFields(request, received.fields, way, options.presets);
}

/** SHA-256 of all that a request asks for. */
function fingerprintOf(asked: ReturnType<typeof askedOf>, files: readonly UploadedFile[]): string {
  const { bucket, preset, metadata } = asked;
  const parts = files.map(({ name, facts, error }) => [name, facts?.digest ?? error?.code]);
  return createHash('sha256')
    .update(JSON.stringify([bucket, preset.name, metadata, parts]))
    .digest('hex');
}
