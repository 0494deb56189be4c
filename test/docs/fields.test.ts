import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FIELD_KEYS, FIELD_TABLE, type FieldKey, type LooseVariant } from '../../src/variants/fields.ts';
import type { Schema } from '../../src/variants/values.ts';
import { readVariants } from '../../src/variants/written.ts';
import { faultsOf } from '../config/json-schema.ts';
import { blocks, ROOT } from './pages.ts';
import { makeReader } from './reader.ts';

/** Each variant of the commands on the page of variants. commands.test.ts runs these commands. */
const EXAMPLES: readonly LooseVariant[] = blocks('variants', 'sh')
  .flatMap((block) => [...block.matchAll(/--variant (\S+)/g)])
  .flatMap(([, spec = '']) => readVariants(spec, { code: 'usage', text: spec }));

/** The examples that give this field another value than its default. */
function examplesOf(key: FieldKey): LooseVariant[] {
  return EXAMPLES.filter((variant) => {
    const { initial } = FIELD_TABLE[key].in(variant.format ?? 'webp');
    const value = variant[key];
    // The format is webp in every variant that names none.
    return value !== undefined && (value !== initial || key === 'format');
  });
}

/** The first error of TypeScript in a program that gives the library these variants. */
function typeErrorOf(variants: readonly object[]): string {
  const { place } = makeReader();
  const path = join(place, 'program.mts');
  const text = [
    "import type { ProcessOptions } from 'imgtool';",
    `export const options: ProcessOptions = { variants: ${JSON.stringify(variants)} };`,
  ].join('\n');
  writeFileSync(path, text);
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', ''];
  const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), ...flags, path];
  const { stdout } = spawnSync(process.execPath, args, { cwd: place, encoding: 'utf8' });
  return stdout.split('\n')[0] ?? '';
}

describe('every field of a variant', () => {
  const schema = JSON.parse(readFileSync(join(ROOT, 'dist/imgtoolrc.schema.json'), 'utf8')) as Schema;
  let help: string;
  beforeAll(() => {
    help = makeReader().run('imgtool help variants').stdout.replace(/\s+/g, ' ');
  });

  it.each(FIELD_KEYS)('%s has its line in `imgtool help variants`', (key) => {
    expect(help).toMatch(new RegExp(`- \`${key}\`[^:]*: `));
    expect(help).toContain(`: ${FIELD_TABLE[key].about}. Values: `);
  });

  it.each(FIELD_KEYS)('%s has an example with a value that is not its default', (key) => {
    expect(examplesOf(key)).not.toEqual([]);
  });

  it.each(FIELD_KEYS)('%s is in the JSON Schema, which accepts the examples', (key) => {
    expect(faultsOf({ variants: [{ name: 'a', [key]: null }] }, schema)).toEqual([]);
    for (const variant of examplesOf(key)) expect(faultsOf({ variants: [variant] }, schema)).toEqual([]);
    expect(faultsOf({ variants: [{ name: 'a', [`${key}s`]: null }] }, schema)).not.toEqual([]);
  });

  it('is in the types of the library, which accept the examples', () => {
    const known = FIELD_KEYS.flatMap((key) => examplesOf(key).slice(0, 1));
    expect(typeErrorOf(known)).toBe('');
    expect(typeErrorOf([...known, { name: 'a', colour: true }])).toMatch(
      /'"?colour"?' does not exist in type/,
    );
  });
});
