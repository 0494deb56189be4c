import type { Schema } from '../../src/variants/values.ts';

// The rules of OpenAPI 3.1 for what this service uses. Every other field is a mistake.

const text: Schema = { type: 'string', minLength: 1 };
const flag: Schema = { type: 'boolean' };
const whole: Schema = { type: 'integer', minimum: 0 };
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const listOf = (items: Schema): Schema => ({ type: 'array', items });
const closed = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  ...{ type: 'object', properties, required, additionalProperties: false },
});
const byName = (pattern: string, each: Schema): Schema => ({
  ...{ type: 'object', propertyNames: { pattern }, additionalProperties: each },
});

const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const MEDIA = '^[\\w!#$&^.+-]+/([\\w!#$&^.+-]+|\\*)$';

const $defs: Record<string, Schema> = {
  info: closed({ title: text, description: text, version: text }, ['title', 'version']),
  path: closed(Object.fromEntries(METHODS.map((method) => [method, ref('operation')]))),
  operation: closed(
    {
      ...{ summary: text, description: text, tags: listOf(text), operationId: text, deprecated: flag },
      ...{ parameters: listOf(ref('parameter')), requestBody: ref('body'), responses: ref('responses') },
      security: listOf(byName('', listOf(text))),
    },
    ['responses'],
  ),
  parameter: closed(
    {
      ...{ name: text, description: text, required: flag, schema: ref('schema') },
      in: { enum: ['query', 'header', 'path', 'cookie'] },
    },
    ['name', 'in', 'schema'],
  ),
  body: closed({ description: text, required: flag, content: ref('content') }, ['content']),
  content: byName(MEDIA, closed({ schema: ref('schema') })),
  responses: byName(
    '^([1-5](\\d\\d|XX)|default)$',
    closed({ description: text, content: ref('content') }, ['description']),
  ),
  schema: closed({
    ...{ description: text, format: text, pattern: text, enum: { type: 'array', minItems: 1 } },
    ...{ minLength: whole, maxLength: whole, minimum: { type: 'number' }, maximum: { type: 'number' } },
    type: { anyOf: [{ enum: TYPES }, { ...listOf({ enum: TYPES }), minItems: 1 }] },
    ...{ items: ref('schema'), properties: byName('', ref('schema')), required: listOf(text) },
    ...{ additionalProperties: { anyOf: [flag, ref('schema')] }, default: {} },
  }),
  scheme: closed({ type: { enum: ['http'] }, scheme: text, bearerFormat: text }, ['type', 'scheme']),
};

/** A JSON Schema of OpenAPI documents. */
export const DOCUMENT: Schema = {
  $defs,
  ...closed(
    {
      ...{ openapi: { type: 'string', pattern: '^3\\.1\\.\\d+$' }, info: ref('info') },
      ...{ paths: byName('^/', ref('path')), servers: listOf(closed({ url: text }, ['url'])) },
      components: closed({
        securitySchemes: byName('^[\\w.-]+$', ref('scheme')),
        schemas: byName('', ref('schema')),
      }),
    },
    ['openapi', 'info', 'paths'],
  ),
};
