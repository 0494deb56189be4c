import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Image, StoredOutput } from '../../model.ts';
import { removeImage } from '../../serve/remove.ts';
import { outputsBySize, resultBody, sizeBody } from '../bodies.ts';
import { sendObject } from '../files.ts';
import type { Site } from '../options.ts';
import { asRefusal, notFound, Refusal } from '../problem.ts';
import {
  ANSWERS,
  answers,
  emptyAnswer,
  FILE_ANSWERS,
  imageParams,
  imagesQuery,
  sizeQuery,
} from '../schemas.ts';
import { assertCompleted } from './jobs.ts';

type ByImage = { Params: { image_id: string }; Querystring: { size?: string } };

/** Most images of one request. */
const MOST_IMAGES = 50;

export function imageRoutes(app: FastifyInstance, site: Site): void {
  const { store } = site.service;
  const { publicUrl } = site.options;

  /** An image that is completed. */
  const imageOf = async ({ caller, params }: FastifyRequest<ByImage>): Promise<Image> => {
    const image = await store.image({ owner: caller.owner }, params.image_id);
    if (image === undefined) throw notFound();
    assertCompleted(image, site);
    return image;
  };

  const shown = (image: Image, size: string | undefined) =>
    size === undefined
      ? resultBody(image, publicUrl)
      : sizeBody(image, size, outputOf(image, size), publicUrl);

  app.get<ByImage>(
    '/api/v1/images/:image_id',
    {
      schema: {
        summary: 'one size of an image, or all',
        params: imageParams,
        querystring: sizeQuery,
        response: answers(200, 'the size, or all', ANSWERS.sizeOrAll),
      },
    },
    async (request) => shown(await imageOf(request), request.query.size),
  );

  app.get<ByImage>(
    '/api/v1/images/:image_id/all',
    {
      schema: {
        summary: 'all sizes of an image',
        params: imageParams,
        response: answers(200, 'all sizes', ANSWERS.result),
      },
    },
    async (request) => resultBody(await imageOf(request), publicUrl),
  );

  app.get<ByImage>(
    '/api/v1/images/:image_id/direct',
    {
      schema: {
        summary: 'the bytes of one size, by default of the largest',
        params: imageParams,
        querystring: sizeQuery,
        response: FILE_ANSWERS,
      },
    },
    async (request, reply) => {
      const image = await imageOf(request);
      const { size } = request.query;
      const output = size === undefined ? largestOf(image) : outputOf(image, size);
      return sendObject(request, reply, site, output.key, output.format, 'private');
    },
  );

  app.get<{ Querystring: { image_ids: string; size?: string } }>(
    '/api/v1/images/batch',
    {
      schema: {
        summary: 'several images',
        querystring: imagesQuery,
        response: answers(200, 'the images in the order of their ids', ANSWERS.images),
      },
    },
    async ({ caller, query }) => {
      const ids = query.image_ids.split(',').map((id) => id.trim());
      if (ids.length > MOST_IMAGES) {
        throw new Refusal('bad_request', `image_ids: expected at most ${MOST_IMAGES} ids, got ${ids.length}`);
      }
      const found = await store.images({ owner: caller.owner }, ids);
      const images = new Map(found.map((image) => [image.id, image]));
      return { images: ids.map((id) => listed(id, images.get(id), query.size)) };
    },
  );

  /** An image of a list, or the code of the reason why there is none. */
  function listed(id: string, image: Image | undefined, size: string | undefined) {
    try {
      if (image === undefined) throw notFound();
      assertCompleted(image, site);
      return shown(image, size);
    } catch (error) {
      const { code } = asRefusal(error);
      return { image_id: id, error: code, ...(image === undefined ? {} : { state: image.state }) };
    }
  }

  app.delete<ByImage>(
    '/api/v1/images/:image_id',
    {
      schema: {
        summary: 'delete an image with all its sizes',
        params: imageParams,
        response: emptyAnswer(204, 'the image is deleted'),
      },
    },
    async ({ caller, params }, reply) => {
      const isRemoved = await removeImage(site.service, { owner: caller.owner }, params.image_id);
      if (!isRemoved) throw notFound();
      return reply.code(204).send();
    },
  );
}

/** Errors: `not_found`, with the sizes that there are. */
function outputOf(image: Image, size: string): StoredOutput {
  const sizes = outputsBySize(image);
  const output = sizes.get(size);
  if (output !== undefined) return output;
  const fix = `use one of ${[...sizes.keys()].join(', ')}`;
  throw new Refusal('not_found', 'the image does not have this size', { fix });
}

function largestOf({ outputs }: Image): StoredOutput {
  const [largest] = [...outputs].sort((a, b) => b.width * b.height - a.width * a.height);
  if (largest === undefined) throw notFound();
  return largest;
}
