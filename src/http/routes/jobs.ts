import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isErrorCode } from '../../errors.ts';
import { wordFailure } from '../../model/failures.ts';
import type { Image } from '../../model.ts';
import type { Viewer } from '../../ports.ts';
import { cancelImages } from '../../serve/remove.ts';
import { jobBody, jobPath, resultBody } from '../bodies.ts';
import type { Site } from '../options.ts';
import { notFound, Refusal } from '../problem.ts';
import { ANSWERS, answers, jobParams } from '../schemas.ts';

type ByJob = { Params: { job_id: string } };

/** Which images a request may see. */
export type ViewerOf = (request: FastifyRequest) => Viewer;

/** The outputs of an image that is completed. Errors: `not_ready`, and the error of an image that failed. */
export function assertCompleted(image: Image, { options }: Site): void {
  const { state, error } = image;
  if (state === 'completed' || state === 'duplicate') return;
  if (state === 'cancelled') throw new Refusal('cancelled', 'the image was cancelled', { status: 422 });
  if (error === null || state !== 'failed') throw new Refusal('not_ready', 'the image is not processed yet');
  const { code, message, fix } = wordFailure(error, options.wordHint);
  throw new Refusal(isErrorCode(code) ? code : 'internal', message, { fix, status: 422, ofImage: true });
}

export function resultRoute(app: FastifyInstance, site: Site): void {
  app.get<ByJob>(
    '/api/v1/images/jobs/:job_id/result',
    {
      schema: {
        summary: 'the outputs of a job: 409 while it is not completed, 422 if it failed',
        params: jobParams,
        response: answers(200, 'the outputs', ANSWERS.result),
      },
    },
    async ({ caller, params }) => {
      const image = await site.service.store.imageOfJob({ owner: caller.owner }, params.job_id);
      if (image === undefined) throw notFound();
      assertCompleted(image, site);
      return resultBody(image, site.options.publicUrl);
    },
  );
}

/** The routes that show and change jobs, for their owners, and for the operator. */
export function jobRoutes(app: FastifyInstance, { service, options }: Site, viewerOf: ViewerOf): void {
  const { store, worker } = service;

  app.get<ByJob>(
    '/api/v1/images/jobs/:job_id',
    {
      schema: {
        summary: 'the state of a job',
        params: jobParams,
        response: answers(200, 'the job', ANSWERS.job),
      },
    },
    async (request) => {
      const job = await store.jobOf(viewerOf(request), request.params.job_id);
      if (job === undefined) throw notFound();
      return jobBody(job, options.wordHint);
    },
  );

  const changes = {
    cancel: (viewer: Viewer, job: string) => cancelImages(service, viewer, { job }),
    retry: async (viewer: Viewer, job: string) => {
      const retried = await store.retry(viewer, { job });
      worker.wake();
      return retried;
    },
  };
  for (const [verb, change] of Object.entries(changes)) {
    app.post<ByJob>(
      `/api/v1/images/jobs/:job_id/${verb}`,
      {
        schema: {
          summary: `${verb} a job`,
          params: jobParams,
          response: answers(202, 'the number of images that this changes', ANSWERS.changed),
        },
      },
      async (request, reply) => {
        const { job_id: job } = request.params;
        const images = await change(viewerOf(request), job);
        if (images === undefined) throw notFound();
        return reply.code(202).send({ images, status_url: jobPath(job), message: changeText(images) });
      },
    );
  }
}

export const changeText = (images: number): string => (images === 0 ? 'Nothing to do.' : 'Accepted.');
