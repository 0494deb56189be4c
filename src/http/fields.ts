import type { FastifyRequest } from 'fastify';
import type { Preset } from '../model.ts';
import type { Presets } from './options.ts';
import { Refusal } from './problem.ts';
import { LONGEST_METADATA, type ObjectSchema } from './schemas.ts';

// The fields of an upload, beside its files.

/** Deeper values could not be written by every program that reads them. */
const DEEPEST = 64;

/** What the fields of an upload ask for. */
export interface AskedFields {
  readonly bucket: string;
  readonly preset: Preset;
  /** The text of a JSON value. */
  readonly metadata: string | null;
}

/** Reads the fields by their schema. `usual`: the preset of an upload that names none. Errors: `invalid_request`. */
export function readFields(
  request: FastifyRequest,
  received: Readonly<Record<string, string>>,
  { fields: schema, preset: usual }: { readonly fields: ObjectSchema; readonly preset: Preset },
  { all }: Presets,
): AskedFields {
  const fields: Record<string, string> = { ...received };
  const check = request.compileValidationSchema(schema);
  if (!check(fields)) {
    const [fault] = check.errors ?? [];
    const missing = fault?.params.missingProperty;
    const name = String(missing ?? fault?.instancePath.slice(1));
    const expected = String(schema.properties[name]?.description ?? 'another value');
    const what = missing === undefined ? `expected ${expected}` : 'is missing';
    throw new Refusal('invalid_request', `${name}: ${what}`, { fix: `send a field ${name}: ${expected}` });
  }
  const preset = fields.preset === undefined ? usual : all.find(({ name }) => name === fields.preset);
  if (preset === undefined) {
    const fix = `use one of ${all.map(({ name }) => name).join(', ')}`;
    throw new Refusal('invalid_request', 'preset: there is no list of variants with this name', { fix });
  }
  return { bucket: fields.bucket ?? '', preset, metadata: readMetadata(fields.metadata) };
}

/** The text of a field. Errors: `invalid_request`. */
export function fieldText(name: string, value: unknown, isTruncated: boolean): string {
  if (isTruncated) throw new Refusal('invalid_request', `${name}: is longer than ${LONGEST_METADATA} bytes`);
  if (typeof value === 'string') return value;
  // The parser has read a field with the type of JSON.
  try {
    return JSON.stringify(value);
  } catch {
    throw tooDeep(name);
  }
}

/** The field `metadata` of an upload, a JSON value as text. Errors: `invalid_request`. */
function readMetadata(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  const refuse = (what: string) => new Refusal('invalid_request', `metadata: ${what}`);
  if (Buffer.byteLength(text) > LONGEST_METADATA) throw refuse(`is longer than ${LONGEST_METADATA} bytes`);
  try {
    JSON.parse(text);
  } catch {
    throw refuse('expected a JSON value');
  }
  if (depthOf(text) > DEEPEST) throw tooDeep('metadata');
  return text;
}

function tooDeep(name: string): Refusal {
  return new Refusal('invalid_request', `${name}: is nested deeper than ${DEEPEST} levels`);
}

/** How deep arrays and objects of a valid JSON text are nested. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}
