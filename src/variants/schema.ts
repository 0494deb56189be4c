import {
  FIELD_KEYS,
  FIELD_TABLE,
  type FieldKey,
  FORMATS,
  type Format,
  formatType,
  spellingsOf,
} from './fields.ts';
import type { Schema } from './values.ts';
import { nameType } from './written.ts';

const SPEC = { $ref: '#/$defs/spec' };

/** Definitions for a JSON Schema. `variants` is what a preset or the setting `variants` may be. */
export const VARIANT_DEFS: Readonly<Record<string, Schema>> = {
  variants: {
    anyOf: [
      SPEC,
      { type: 'array', items: { anyOf: [SPEC, { $ref: '#/$defs/namedVariant' }] } },
      {
        type: 'object',
        propertyNames: nameType.schema,
        additionalProperties: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/variant' }] },
      },
    ],
  },
  spec: { type: 'string', pattern: '^[^:]+:.', description: 'for example hero:w=1600,format=avif,q=55' },
  variant: mappingSchema({}),
  namedVariant: mappingSchema({ name: nameType.schema }),
};

/** A mapping of fields with these properties beside them. */
function mappingSchema(more: Readonly<Record<string, Schema>>): Schema {
  const sides = (['width', 'height'] as const).flatMap(spellingsOf);
  return {
    type: 'object',
    properties: { ...more, ...eachSpelling((key) => ({ description: FIELD_TABLE[key].about })) },
    required: Object.keys(more),
    additionalProperties: false,
    anyOf: sides.map((side) => ({ required: [side] })),
    allOf: FORMATS.map((format) => ({
      anyOf: [{ not: hasFormat(format) }, { properties: valuesIn(format) }],
    })),
  };
}

/** WebP is the default, so a mapping without a format has it too. */
function hasFormat(format: Format): Schema {
  const words = (formatType.schema.enum as readonly string[]).filter(
    (word) => formatType.parse(word) === format,
  );
  const isDefault = format === 'webp';
  return {
    properties: { format: { enum: isDefault ? [...words, null] : words } },
    required: isDefault ? [] : ['format'],
  };
}

function valuesIn(format: Format): Readonly<Record<string, Schema>> {
  return eachSpelling((key) => ({ anyOf: [{ type: 'null' }, FIELD_TABLE[key].in(format).type.schema] }));
}

function eachSpelling(schemaOf: (key: FieldKey) => Schema) {
  return Object.fromEntries(
    FIELD_KEYS.flatMap((key) => spellingsOf(key).map((word) => [word, schemaOf(key)])),
  );
}
