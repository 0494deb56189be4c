import { VARIANT_DEFS } from '../variants/schema.ts';
import type { Schema } from '../variants/values.ts';
import { nameType } from '../variants/written.ts';
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
    additionalProperties: { $ref: '#/$defs/variants' },
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
