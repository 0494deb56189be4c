import { describe, expect, it } from 'vitest';
import { documentOf } from './documented.ts';
import { startService } from './service.ts';

const METHODS = ['get', 'post', 'delete', 'put', 'patch', 'options', 'head', 'trace'];

/** The routes of the service, apart from the document itself. */
const ROUTES = `
delete /api/v1/images/{image_id}
get /api/v1/health
get /api/v1/health/failed
get /api/v1/health/stats
get /api/v1/images/batch
get /api/v1/images/jobs/{job_id}
get /api/v1/images/jobs/{job_id}/result
get /api/v1/images/{image_id}
get /api/v1/images/{image_id}/all
get /api/v1/images/{image_id}/direct
get /batch/{batch_id}
get /batch/{batch_id}/images
get /batch/{batch_id}/status
get /livez
get /readyz
get /storage/{bucket}/processed/{size}/{file}
post /api/v1/images/jobs/{job_id}/cancel
post /api/v1/images/jobs/{job_id}/retry
post /api/v1/images/upload
post /batch
post /batch/{batch_id}/cancel
post /batch/{batch_id}/retry
post /upload`
  .trim()
  .split('\n');

describe('the OpenAPI document', () => {
  it('has every route and no other, each with its answers', async () => {
    const { url } = await startService();
    const { openapi, paths } = await documentOf(url);
    expect(openapi).toBe('3.1.0');
    const shown = Object.entries(paths).flatMap(([path, of]) =>
      Object.keys(of)
        .filter((key) => METHODS.includes(key))
        .map((method) => `${method} ${path}`),
    );
    expect(shown.sort()).toEqual(ROUTES);
    for (const operations of Object.values(paths)) {
      for (const { responses } of Object.values(operations)) {
        expect(Object.keys(responses).some((status) => /^2\d\d$/.test(status))).toBe(true);
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
      }
    }
  });

  it('describes each part of an address', async () => {
    const { url } = await startService();
    const { paths } = await documentOf(url);
    for (const [path, operations] of Object.entries(paths)) {
      const parts = [...path.matchAll(/\{(.+?)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(operations)) {
        const known = parameters.filter((one) => one.in === 'path');
        expect({ path, names: known.map(({ name }) => name) }).toEqual({ path, names: parts });
        expect(known.every(({ required }) => required)).toBe(true);
      }
    }
  });

  it('describes an upload as its fields are checked', async () => {
    const { url } = await startService();
    const { paths } = await documentOf(url);
    const upload = paths['/api/v1/images/upload']?.post;
    expect(upload).toMatchObject({
      requestBody: {
        content: {
          'multipart/form-data': {
            schema: {
              required: ['file', 'bucket'],
              properties: { file: { type: 'string' }, bucket: { pattern: expect.any(String) } },
            },
          },
        },
      },
    });
  });

  it('says that a token is needed, and where not', async () => {
    const { url } = await startService();
    const document = await documentOf(url);
    const needs = (path: string, method: string) =>
      (document.paths[path]?.[method] as { security?: unknown } | undefined)?.security;
    expect(needs('/api/v1/images/upload', 'post')).toEqual([{ token: [] }]);
    expect(needs('/livez', 'get')).toBeUndefined();
  });
});
