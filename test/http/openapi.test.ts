import { describe, expect, it } from 'vitest';
import { faultsOf } from '../config/json-schema.ts';
import { documentOf, patternOf } from './documented.ts';
import { DOCUMENT } from './openapi-rules.ts';
import { RULES, startService } from './service.ts';

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

  it('follows the rules of OpenAPI 3.1, with tokens and without', async () => {
    for (const tokens of [RULES, null]) {
      const { url } = await startService({ tokens, uploads: { quota: null } });
      const document = await documentOf(url);
      expect(faultsOf(document, DOCUMENT)).toEqual([]);
      for (const operations of Object.values(document.paths)) {
        for (const { parameters = [], responses } of Object.values(operations)) {
          const names = parameters.map((one) => `${one.in} ${one.name}`);
          expect(new Set(names).size).toBe(names.length);
          expect(Object.keys(responses).length).toBeGreaterThan(0);
        }
      }
      // The check itself sees what is wrong.
      const [path = ''] = Object.keys(document.paths);
      for (const wrong of [
        { ...document, openapi: '3.0.3' },
        { ...document, paths: { livez: {} } },
        { ...document, paths: { [path]: { get: { responses: { 200: {} } } } } },
        {
          ...document,
          paths: { [path]: { get: { responses: {}, parameters: [{ name: 'x', in: 'body' }] } } },
        },
      ])
        expect(faultsOf(wrong, DOCUMENT)).not.toEqual([]);
    }
  });

  it('has the routes that the server has: an address that it does not have is answered by 404', async () => {
    const { url, ask } = await startService();
    const { paths } = await documentOf(url);
    for (const [path, operations] of Object.entries(paths)) {
      const address = path.replace('{bucket}/processed/{size}/{file}', 'x').replace(/\{\w+\}/g, 'x');
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const isKnown = Object.hasOwn(operations, method.toLowerCase());
        // Other routes have such an address too.
        const others = Object.keys(paths).filter((other) => patternOf(other).test(address));
        const isOfOther = others.some((other) => Object.hasOwn(paths[other]!, method.toLowerCase()));
        const { status } = await ask(address, { method });
        expect({ method, path, isRefused: status === 405 }).toEqual({
          ...{ method, path },
          isRefused: !isKnown && !isOfOther,
        });
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
    const needsIn = ({ paths }: Awaited<ReturnType<typeof documentOf>>, path: string, method: string) =>
      (paths[path]?.[method] as { security?: unknown } | undefined)?.security;
    const document = await documentOf(url);
    const needs = (path: string, method: string) => needsIn(document, path, method);
    expect(needs('/api/v1/images/upload', 'post')).toEqual([{ token: [] }]);
    expect(needs('/livez', 'get')).toBeUndefined();
    for (const isPrivate of [false, true]) {
      const own = await documentOf((await startService({ isPrivate })).url);
      const security = needsIn(own, '/storage/{bucket}/processed/{size}/{file}', 'get');
      expect(security !== undefined).toBe(isPrivate);
    }
  });
});
