import type { Schema } from '../../src/variants/values.ts';

/** Checks data against a JSON Schema, as far as the schema of the settings needs it. */

type Check = (wanted: never, data: unknown, root: Schema, schema: Schema) => boolean;

const isObject = (data: unknown): data is Record<string, unknown> =>
  typeof data === 'object' && data !== null && !Array.isArray(data);

const TYPES: Readonly<Record<string, (data: unknown) => boolean>> = {
  null: (data) => data === null,
  boolean: (data) => typeof data === 'boolean',
  string: (data) => typeof data === 'string',
  number: (data) => typeof data === 'number',
  integer: Number.isInteger,
  array: Array.isArray,
  object: isObject,
};

const isValid = (data: unknown, schema: Schema, root: Schema) => faultsOf(data, schema, root).length === 0;

const CHECKS: Readonly<Record<string, Check>> = {
  $ref: (path: string, data, root) => {
    const defs = root.$defs as Record<string, Schema>;
    return isValid(data, defs[path.replace('#/$defs/', '')] as Schema, root);
  },
  type: (types: string | string[], data) => [types].flat().some((type) => TYPES[type]?.(data)),
  enum: (values: unknown[], data) => values.includes(data),
  minimum: (least: number, data) => typeof data !== 'number' || data >= least,
  maximum: (most: number, data) => typeof data !== 'number' || data <= most,
  minLength: (least: number, data) => typeof data !== 'string' || data.length >= least,
  pattern: (pattern: string, data) => typeof data !== 'string' || new RegExp(pattern, 'u').test(data),
  items: (schema: Schema, data, root) =>
    !Array.isArray(data) || data.every((item) => isValid(item, schema, root)),
  prefixItems: (schemas: Schema[], data, root) =>
    !Array.isArray(data) || schemas.every((schema, i) => i >= data.length || isValid(data[i], schema, root)),
  minItems: (least: number, data) => !Array.isArray(data) || data.length >= least,
  maxItems: (most: number, data) => !Array.isArray(data) || data.length <= most,
  required: (keys: string[], data) => !isObject(data) || keys.every((key) => Object.hasOwn(data, key)),
  properties: (properties: Record<string, Schema>, data, root) =>
    !isObject(data) ||
    Object.entries(data).every(([key, value]) => {
      const schema = properties[key];
      return schema === undefined || isValid(value, schema, root);
    }),
  propertyNames: (schema: Schema, data, root) =>
    !isObject(data) || Object.keys(data).every((key) => isValid(key, schema, root)),
  additionalProperties: (more: Schema | false, data, root, { properties = {} }) =>
    !isObject(data) ||
    Object.entries(data)
      .filter(([key]) => !Object.hasOwn(properties as object, key))
      .every(([, value]) => more !== false && isValid(value, more, root)),
  anyOf: (schemas: Schema[], data, root) => schemas.some((schema) => isValid(data, schema, root)),
  allOf: (schemas: Schema[], data, root) => schemas.every((schema) => isValid(data, schema, root)),
  not: (schema: Schema, data, root) => !isValid(data, schema, root),
};

const NOTES = ['$schema', '$defs', 'title', 'description', 'format', 'default'];

/** The keywords that the data does not satisfy. Errors: a keyword that is not known here. */
export function faultsOf(data: unknown, schema: Schema, root = schema): string[] {
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    if (NOTES.includes(keyword)) return [];
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`${keyword}: no such keyword`);
    return check(wanted as never, data, root, schema) ? [] : [keyword];
  });
}
