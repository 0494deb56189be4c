import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance } from 'fastify';
import { classOf, type ErrorCode, ImgtoolError, systemCode } from '../errors.ts';
import { authenticateBy, type Caller, LOCAL } from './auth.ts';
import { limitConnections } from './connections.ts';
import { fileRoutes } from './files.ts';
import type { Metrics } from './metrics.ts';
import { describeRoutes } from './openapi.ts';
import { type Address, CONNECTION_LIMITS, type HttpOptions, type Site } from './options.ts';
import { answerProblems, Refusal } from './problem.ts';
import { batchImagesRoute, batchRoutes } from './routes/batches.ts';
import { healthRoutes, operatorRoutes } from './routes/health.ts';
import { imageRoutes } from './routes/images.ts';
import { jobRoutes, resultRoute } from './routes/jobs.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { allowSites, assertOwnSite } from './sites.ts';

export { createMetrics } from './metrics.ts';

/** Answers to those who wait for something, or look for it. */
const NO_REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['not_ready', 'not_found']);
/** Milliseconds between two looks at what is still open. */
const DRAIN_POLL = 50;
/** Milliseconds for the answers that are being sent at the end. */
const LAST_ANSWERS = 1_000;

/** The running servers. */
export interface HttpServers {
  /** Where the service listens, and where the operator finds it. */
  readonly urls: { readonly service: string; readonly admin: string | null };
  /** Refuses uploads from now on, and resolves once those in work have ended, after `ms` milliseconds in any case. */
  drain(ms: number): Promise<void>;
  /** Ends all connections. May be called twice. */
  close(): Promise<void>;
}

/** Starts the service and the listener of the operator. Errors: `port_taken`, `address_unusable`. */
export async function openHttp(
  service: Site['service'],
  options: HttpOptions,
  metrics: Metrics,
): Promise<HttpServers> {
  const limits = { ...CONNECTION_LIMITS, ...options.limits };
  const site: Site = { service, options, limits, isStopping: false, openUploads: 0 };
  metrics.describe(site);
  const apps = [await publicApp(site, metrics)];
  if (options.admin !== null) apps.push(adminApp(site, metrics));
  /** Waits for the end of uploads, files removed included. */
  const uploadsEnd = async (ms: number) => {
    const end = performance.now() + ms;
    while (site.openUploads > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL));
    }
  };
  const close = async () => {
    const cut = setTimeout(() => {
      for (const { server } of apps) server.closeAllConnections();
    }, LAST_ANSWERS);
    await Promise.all(apps.map((app) => app.close()));
    clearTimeout(cut);
    // Those that were cut off still remove their staged files.
    await uploadsEnd(LAST_ANSWERS);
  };
  try {
    const addresses = [options.listen, ...(options.admin === null ? [] : [options.admin])];
    const [url = '', admin = null] = await Promise.all(
      apps.map((app, i) => listen(app, addresses[i] ?? options.listen, i === 0 ? 'listen' : 'admin')),
    );
    return {
      urls: { service: url, admin },
      async drain(ms) {
        site.isStopping = true;
        await uploadsEnd(ms);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listen(app: FastifyInstance, { host, port }: Address, setting: string): Promise<string> {
  try {
    // For `localhost`, fastify would open a second server without limits.
    const { address } = await lookup(host, { order: 'ipv4first' });
    return await app.listen({ host: address, port });
  } catch (cause) {
    const code = systemCode(cause);
    const at = `${host}:${port}`;
    if (code === 'EADDRINUSE') {
      const fix = `stop that program, or choose another {{${setting}}}`;
      throw new ImgtoolError('port_taken', `${at}: another program listens there`, { fix, cause });
    }
    const fix = `choose another {{${setting}}}: an address of this machine, and a port above 1023`;
    throw new ImgtoolError('address_unusable', `${at}: cannot be used (${code ?? cause})`, { fix, cause });
  }
}

/** A server with the limits of connections, which answers errors with problems. */
function newApp(site: Site, metrics: Metrics): FastifyInstance {
  const { options, limits } = site;
  const app = fastify({
    trustProxy: options.trustProxy.length === 0 ? false : [...options.trustProxy],
    requestTimeout: limits.requestTimeout,
    connectionTimeout: limits.idleTimeout,
    http: {
      headersTimeout: limits.headersTimeout,
      maxHeaderSize: limits.headerBytes,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeout),
    },
    routerOptions: { maxParamLength: 512 },
  });
  // Nobody reads a body that is no upload, whatever its type.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  reportRefusals(app, site);
  metrics.watch(app);
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.header('x-content-type-options', 'nosniff');
    done();
  });
  return app;
}

/** Answers what is refused, and reports it. */
function reportRefusals(app: FastifyInstance, { options, limits, service: { emit } }: Site): void {
  // A request that is too slow fails in its route too, when its connection ends.
  const reported = new WeakSet<Socket>();
  limitConnections(app, limits, ({ code, status }, socket) => {
    reported.add(socket);
    const none = { reason: null, method: null, route: null, isUpload: false, owner: null };
    emit({ type: 'request.refused', code, status, ...none, client: socket.remoteAddress ?? null });
  });
  answerProblems(app, options.wordHint, (request, refusal, error) => {
    const { status, code, reason, ofImage } = refusal;
    const { method, routeOptions, ip, raw } = request;
    const isUpload = routeOptions.config.multipart !== undefined;
    const isRefused = isUpload || (classOf(code) === 'refused' && !NO_REFUSALS.has(code) && !ofImage);
    if (isRefused && !reported.has(raw.socket)) {
      const owner = (request.caller as Caller | undefined)?.owner ?? null;
      const route = routeOptions.url ?? null;
      emit({ type: 'request.refused', code, reason, status, method, route, isUpload, owner, client: ip });
    }
    // The code of a refusal without a cause says enough.
    if (status < 500 || (error instanceof Refusal && error.cause === undefined)) return;
    const why = error instanceof Error ? error : refusal;
    const cause = why.cause instanceof Error ? `: ${why.cause.message}` : '';
    emit({ type: 'warning', message: `${code}: ${why.message}${cause}` });
  });
}

async function publicApp(site: Site, metrics: Metrics): Promise<FastifyInstance> {
  const { options } = site;
  const app = newApp(site, metrics);
  const authenticate = options.tokens === null ? async () => LOCAL : authenticateBy(options.tokens);
  if (options.tokens === null) app.addHook('onRequest', assertOwnSite(options.corsOrigins));
  if (options.corsOrigins.length > 0) await allowSites(app, options.corsOrigins);
  // A file that is too large is not the end of a request for several files.
  await app.register(multipart, { throwFileSizeLimit: false });
  await describeRoutes(app, options.version, options.tokens !== null);
  healthRoutes(app, site);
  fileRoutes(app, site, authenticate);
  await app.register(async (api) => {
    api.addHook('onRoute', (route) => {
      route.config = { ...route.config, needsToken: true };
    });
    api.decorateRequest('caller');
    api.addHook('onRequest', async (request) => {
      request.caller = await authenticate(request.headers.authorization);
    });
    const ofOwner = ({ caller }: { readonly caller: { readonly owner: string } }) => ({
      owner: caller.owner,
    });
    uploadRoutes(api, site);
    jobRoutes(api, site, ofOwner);
    resultRoute(api, site);
    imageRoutes(api, site);
    batchRoutes(api, site, ofOwner);
    batchImagesRoute(api, site);
    await api.register(async (operator) => {
      operator.addHook('onRequest', async ({ caller }) => assertAdmin(caller));
      operatorRoutes(operator, site);
    });
  });
  return app;
}

function assertAdmin({ isAdmin }: Caller): void {
  if (isAdmin) return;
  const fix = 'use a token with the scope admin, or use the address of {{admin}}';
  throw new Refusal('forbidden', 'the token does not have the scope admin', { fix });
}

/** The listener of the operator, who sees all owners. */
function adminApp(site: Site, metrics: Metrics): FastifyInstance {
  const { service, options } = site;
  const app = newApp(site, metrics);
  if (options.tokens === null || options.isAdminOpen) app.addHook('onRequest', assertOwnSite([]));
  else {
    const authenticate = authenticateBy(options.tokens);
    app.addHook('onRequest', async ({ headers }) => assertAdmin(await authenticate(headers.authorization)));
  }
  healthRoutes(app, site);
  operatorRoutes(app, site);
  jobRoutes(app, site, () => 'all');
  batchRoutes(app, site, () => 'all');
  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  app.post<{ Params: { owner: string } }>('/owners/:owner/reset', async ({ params }, reply) => {
    await service.store.resetQuota(params.owner);
    return reply.code(204).send();
  });
  return app;
}
