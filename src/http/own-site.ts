import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { Refusal } from './problem.ts';

// Browsers reach the services of their own machine too. A page of another site must not use a service without tokens: its
// requests have another Origin, or a Host that only pretends to be this machine.

/** Refuses requests of pages of other sites than these. Errors: `forbidden`. */
export function assertOwnSite(origins: readonly string[]) {
  return async ({ headers }: FastifyRequest): Promise<void> => {
    const { host = '', origin } = headers;
    const isOwn = origin === undefined || origin === `http://${host}` || origins.includes(origin);
    if (isOwn && isDirect(host)) return;
    throw new Refusal('forbidden', 'this service has no tokens: only programs of its machine may use it', {
      fix: 'use its address such as 127.0.0.1, allow a site with {{corsOrigin}}, or add {{jwtSecretFile}}',
    });
  };
}

/** Whether the host is no name that a stranger could point at this machine. */
function isDirect(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0;
}
