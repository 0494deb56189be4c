import { expect } from 'vitest';
import type { Schema } from '../../src/variants/values.ts';
import { faultsOf } from '../config/json-schema.ts';

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: Schema }>> }>
  >;
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Addresses that the document leaves out. */
const UNDOCUMENTED = /^\/(openapi\.json|nowhere)/;

export async function documentOf(url: string): Promise<OpenApi> {
  const answer = await fetch(`${url}/openapi.json`);
  return (await answer.json()) as OpenApi;
}

/** A check of answers against the OpenAPI document of a service. */
export function documented(url: string) {
  let reading: Promise<OpenApi> | undefined;
  return async (method: string, path: string, status: number, type: string, body: unknown): Promise<void> => {
    const [bare = ''] = path.split('?');
    if (UNDOCUMENTED.test(bare) || status === 405) return;
    reading ??= documentOf(url);
    const { paths } = await reading;
    const entry =
      paths[bare] ?? Object.entries(paths).find(([pattern]) => patternOf(pattern).test(bare))?.[1];
    const operation = entry?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
    // An address of no route is answered by a problem without a route.
    if (operation === undefined && status === 404) return;
    const found = operation?.responses[status] ?? operation?.responses[`${`${status}`[0]}XX`];
    expect({ method, path, status, isDocumented: found !== undefined }).toMatchObject({ isDocumented: true });
    const [[known, content] = []] = Object.entries(found?.content ?? {});
    if (known === undefined || content === undefined) return expect(type).toBe('');
    if (!/json/.test(known)) return expect(type).toMatch(/^image\//);
    if (method === 'HEAD') return;
    expect(type.split(';')[0]).toBe(known);
    expect({ path, status, faults: faultsOf(body, content.schema), body }).toMatchObject({ faults: [] });
  };
}

const patternOf = (pattern: string) => new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`);
