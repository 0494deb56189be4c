import type { FastifyInstance } from 'fastify';
import { failedBody, statsBody } from '../bodies.ts';
import type { Site } from '../options.ts';
import { Refusal } from '../problem.ts';
import { ANSWERS, answers, failedQuery } from '../schemas.ts';

/** Whether the service lives and can work. Anybody may ask. */
export function healthRoutes(app: FastifyInstance, site: Site): void {
  const { service, options } = site;
  const health = { status: 'ok', service: 'imgtool', version: options.version };
  // Questions that are answered at once, also with a million images. Both fail when nothing can be stored.
  const canAnswer = () => Promise.all([service.store.image('all', ''), service.objects.locate('')]);

  const check = (url: string, summary: string, assertFine: () => Promise<unknown>) => {
    const schema = { summary, response: answers(200, 'all is well', ANSWERS.health) };
    app.get(url, { schema }, async () => {
      await assertFine();
      return health;
    });
  };
  check('/livez', 'whether the process runs', async () => {});
  check('/api/v1/health', 'whether the service works', canAnswer);
  check('/readyz', 'whether uploads are welcome', async () => {
    if (site.isStopping) throw new Refusal('unavailable', 'the service is stopping');
    await canAnswer();
  });
}

/** What the operator sees of all owners. */
export function operatorRoutes(app: FastifyInstance, { service, options }: Site): void {
  const { store, worker } = service;
  app.get(
    '/api/v1/health/stats',
    { schema: { summary: 'figures of all images', response: answers(200, 'the figures', ANSWERS.stats) } },
    async () => statsBody(await store.stats(), worker.busy(), options.jobs),
  );
  app.get<{ Querystring: { limit: number } }>(
    '/api/v1/health/failed',
    {
      schema: {
        summary: 'the images that failed last',
        querystring: failedQuery,
        response: answers(200, 'the images, the newest first', ANSWERS.failed),
      },
    },
    async ({ query }) => {
      const images = await store.failed(query.limit);
      return { failed: images.map((image) => failedBody(image, options.wordHint)) };
    },
  );
}
