import { FIELD_KEYS, FIELD_TABLE, type FieldKey, formatType, spellingsOf } from '../variants/fields.ts';
import { FORMATS, type Format } from '../variants/formats.ts';
import type { Schema } from '../variants/values.ts';
import { nameType, variantsType } from '../variants/written.ts';
import { KEYS, SETTINGS } from './settings.ts';

/** The JSON Schema of `.imgtoolrc`. A key may be null, which counts as absent. */
export function settingsSchema(): Schema {
  const properties = KEYS.map((key) => {
    const { about, type } = SETTINGS[key];
    return [key, { description: about, anyOf: [{ type: 'null' }, type.schema] }];
  });
  const presets = {
    description: 'presets of your own, by name',
    type: ['object', 'null'],
    propertyNames: nameType.schema,
    additionalProperties: variantsType.schema,
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of imgtool',
    type: 'object',
    properties: { ...Object.fromEntries(properties), presets },
    additionalProperties: false,
    $defs: VARIANT_DEFS,
  };
}

const SPEC = { $ref: '#/$defs/spec' };

/** `variants` is what a preset or the setting `variants` may be. */
const VARIANT_DEFS: Readonly<Record<string, Schema>> = {
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
  return {
    type: 'object',
    properties: { ...more, ...eachSpelling((key) => ({ description: FIELD_TABLE[key].about })) },
    required: Object.keys(more),
    additionalProperties: false,
    allOf: FORMATS.map((format) => ({
      anyOf: [{ not: hasFormat(format) }, { properties: valuesIn(format) }],
    })),
  };
}

/** WebP is the default, so a mapping without a format has it too. */
function hasFormat(format: Format): Schema {
  const all = formatType.schema.enum as readonly string[];
  const words = all.filter((word) => formatType.parse(word) === format);
  if (format === 'webp') return { properties: { format: { enum: [...words, null] } }, required: [] };
  return { properties: { format: { enum: words } }, required: ['format'] };
}

function valuesIn(format: Format): Readonly<Record<string, Schema>> {
  return eachSpelling((key) => ({ anyOf: [{ type: 'null' }, FIELD_TABLE[key].in(format).type.schema] }));
}

function eachSpelling(schemaOf: (key: FieldKey) => Schema) {
  const entries = FIELD_KEYS.flatMap((key) => spellingsOf(key).map((word) => [word, schemaOf(key)]));
  return Object.fromEntries(entries);
}
