import type { FastifyInstance } from 'fastify';
import type { Viewer } from '../../ports.ts';
import { cancelImages } from '../../serve/remove.ts';
import { batchBody, batchImageBody, batchPath } from '../bodies.ts';
import type { Site } from '../options.ts';
import { notFound, Refusal } from '../problem.ts';
import { ANSWERS, answers, batchImagesQuery, batchParams } from '../schemas.ts';
import { changeText, type ViewerOf } from './jobs.ts';

type ByBatch = { Params: { batch_id: string } };

export function batchImagesRoute(app: FastifyInstance, { service }: Site): void {
  const { store } = service;
  app.get<ByBatch & { Querystring: { after?: string; limit: number } }>(
    '/batch/:batch_id/images',
    {
      schema: {
        summary: 'the images of a batch, page by page',
        params: batchParams,
        querystring: batchImagesQuery,
        response: answers(
          200,
          'a page of images; `next` is the `after` of the next page',
          ANSWERS.batchImages,
        ),
      },
    },
    async ({ caller, params, query }) => {
      const { batch_id: batch } = params;
      const viewer: Viewer = { owner: caller.owner };
      if ((await store.batchOf(viewer, batch)) === undefined) throw notFound();
      const { after = null, limit } = query;
      const found = await store.imagesOf(viewer, batch, after, limit + 1);
      if (found === undefined) {
        throw new Refusal('invalid_request', 'after: no image of this batch has this id (any more)', {
          fix: 'ask for the first page again, without after',
        });
      }
      const images = found.slice(0, limit);
      const next = found.length > limit ? (images.at(-1)?.id ?? null) : null;
      return { batch_id: batch, images: images.map(batchImageBody), next };
    },
  );
}

/** The routes that show and change batches, for their owners, and for the operator. */
export function batchRoutes(app: FastifyInstance, { service }: Site, viewerOf: ViewerOf): void {
  const { store, worker } = service;

  // One document at two addresses.
  for (const url of ['/batch/:batch_id', '/batch/:batch_id/status']) {
    app.get<ByBatch>(
      url,
      {
        schema: {
          summary: 'the state and progress of a batch',
          params: batchParams,
          response: answers(200, 'the batch', ANSWERS.batch),
        },
      },
      async (request) => {
        const batch = await store.batchOf(viewerOf(request), request.params.batch_id);
        if (batch === undefined) throw notFound();
        return batchBody(batch);
      },
    );
  }

  const changes = {
    cancel: (viewer: Viewer, batch: string) => cancelImages(service, viewer, { batch }),
    retry: async (viewer: Viewer, batch: string) => {
      const retried = await store.retry(viewer, { batch });
      worker.wake();
      return retried;
    },
  };
  for (const [verb, change] of Object.entries(changes)) {
    app.post<ByBatch>(
      `/batch/:batch_id/${verb}`,
      {
        schema: {
          summary: `${verb} a batch`,
          params: batchParams,
          response: answers(202, 'the number of images that this changes', ANSWERS.changed),
        },
      },
      async (request, reply) => {
        const { batch_id: batch } = request.params;
        const images = await change(viewerOf(request), batch);
        if (images === undefined) throw notFound();
        return reply.code(202).send({ images, status_url: batchPath(batch), message: changeText(images) });
      },
    );
  }
}
