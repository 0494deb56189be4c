import { basename, dirname } from 'node:path';
import send, { type SendResult } from '@fastify/send';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ImgtoolError, outputUnreadable } from '../errors.ts';
import { EXTENSIONS, FORMATS, type Format } from '../variants/formats.ts';
import type { Authenticate } from './auth.ts';
import type { Site } from './options.ts';
import { notFound, Refusal } from './problem.ts';
import { FILE_ANSWERS } from './schemas.ts';

/** `{bucket}/processed/{variant}/{image}_{variant}.{ext}`, and nothing that leads elsewhere. */
const KEY =
  /^([a-z0-9][a-z0-9-]{1,61}[a-z0-9])\/processed\/([\w-][\w.-]{0,63})\/([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})_\2\.([a-z]+)$/;

const YEAR = 31_536_000_000;

/** The outputs below `/storage/`, for everybody who knows their address, or for the owner of the image alone. */
export function fileRoutes(app: FastifyInstance, site: Site, authenticate: Authenticate): void {
  const { isPrivate } = site.options;
  app.get<{ Params: { '*': string } }>(
    '/storage/*',
    {
      config: { shownAs: '/storage/:bucket/processed/:size/:file', needsToken: isPrivate },
      schema: {
        summary: 'an output',
        response: FILE_ANSWERS,
      },
    },
    async (request, reply) => {
      const key = request.params['*'];
      const [, , , image = '', extension = ''] = KEY.exec(key) ?? [];
      const format = FORMATS.find((one) => EXTENSIONS[one] === extension);
      if (format === undefined) throw notFound();
      if (isPrivate) {
        const { owner } = await authenticate(request.headers.authorization);
        if ((await site.service.store.image({ owner }, image)) === undefined) throw notFound();
      } else {
        reply.header('cross-origin-resource-policy', 'cross-origin');
      }
      return sendObject(request, reply, site, key, format, isPrivate ? 'private' : 'public');
    },
  );
}

/** Sends the bytes of an output: whole, a range of them, or that they have not changed. Errors: those of `notSent`. */
export async function sendObject(
  request: FastifyRequest,
  reply: FastifyReply,
  { service }: Site,
  key: string,
  format: Format,
  cache: 'public' | 'private',
): Promise<FastifyReply> {
  const place = await service.objects.locate(key);
  if (place === null) throw notFound();
  if ('url' in place) return reply.redirect(place.url, 302);
  const options = {
    root: dirname(place.path),
    cacheControl: false,
    contentType: false,
    dotfiles: 'allow',
  } as const;
  const sent = await send(request.raw, encodeURIComponent(basename(place.path)), options);
  if (sent.type !== 'file') {
    sent.stream.destroy();
    throw notSent(sent, key);
  }
  return reply
    .code(sent.statusCode)
    .headers(sent.headers)
    .headers({
      'cache-control': `${cache}, max-age=${YEAR / 1000}, immutable`,
      'content-type': `image/${format}`,
    })
    .send(sent.stream);
}

/** Errors: `not_found`, `bad_request` for conditions and ranges that do not fit, and those of reading an output. */
function notSent({ statusCode: status, headers, type, metadata }: SendResult, key: string): ImgtoolError {
  if (status >= 500 && type === 'error') return outputUnreadable(metadata.error, key);
  if (status === 412)
    return new Refusal('bad_request', 'the output is not the one of the condition', { status });
  const { 'Content-Range': range } = headers;
  if (status !== 416 || range === undefined) return notFound();
  const message = 'the output does not have this range of bytes';
  return new Refusal('bad_request', message, { status, headers: { 'content-range': range } });
}
