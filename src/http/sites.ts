import { isIP } from 'node:net';
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from './problem.ts';

// Pages of other sites, in the browsers of people who reach the service.

/** Headers that pages of other sites may read. */
const SHOWN_TO_SITES = [
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'retry-after',
  'etag',
  'content-range',
  'idempotency-replayed',
];
const DAY = 86_400;

/** Lets pages of these sites use the service. */
export async function allowSites(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(cors, {
    ...{ origin: [...origins], credentials: true, methods: ['GET', 'POST', 'DELETE'] },
    ...{ allowedHeaders: ['authorization', 'content-type', 'idempotency-key'] },
    ...{ exposedHeaders: SHOWN_TO_SITES, maxAge: DAY },
    // Else other requests with OPTIONS would be answered by a text that is no problem.
    strictPreflight: false,
  });
}

/**
 * Refuses requests of pages of other sites than these. Browsers reach the services of their own machine too, but such
 * requests have another Origin, or a Host that only pretends to be this machine. Errors: `forbidden`.
 */
export function assertOwnSite(origins: readonly string[]) {
  return async ({ headers }: FastifyRequest): Promise<void> => {
    const { host = '', origin } = headers;
    const isOwn = origin === undefined || origin === `http://${host}` || origins.includes(origin);
    if (isOwn && isDirect(host)) return;
    throw new Refusal('forbidden', 'this service has no tokens: only programs of its machine may use it', {
      fix: 'use its address such as 127.0.0.1, or allow a site with {{corsOrigin}}, or add {{jwtSecretFile}}',
    });
  };
}

/** Whether the host is no name that a stranger could point at this machine. */
function isDirect(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0;
}
