import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf, RULES, violations } from './architecture-rules.ts';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

describe('src', () => {
  it.each(Object.keys(RULES))('%s', (rule) => {
    expect(violations(rule, FILES)).toEqual([]);
  });
});

/** Possible mistakes, each with the rule that it breaks. */
const MISTAKES: [rule: string, path: string, text: string][] = [
  ['has only known areas', 'server/http.ts', ''],
  [
    'lets each area import only what the table allows',
    'core/job/new.ts',
    "import { a } from '../../adapters/local-storage.ts';",
  ],
  [
    'lets each area import only what the table allows',
    'core/job/new.ts',
    "import { a } from '../../config.ts';",
  ],
  [
    'lets each area import only what the table allows',
    'report/new.ts',
    "import { a } from '../core/clock.ts';",
  ],
  [
    'lets each area import only what the table allows',
    'adapters/local-storage/new.ts',
    "import { a } from '../sqlite-index/index.ts';",
  ],
  [
    'lets each area import only what the table allows',
    'image/new.ts',
    "import type { A } from '../ports.ts';",
  ],
  ['lets each area import only what the table allows', 'model/new.ts', "import { a } from '../config.ts';"],
  [
    'lets each area import only what the table allows',
    'commands/new.ts',
    "const a = await import('../core/batch/run.ts');",
  ],
  [
    'has no cycle of files, type imports included',
    'core/clock.ts',
    "import type { A } from './job/job.ts';\nimport type { B } from './watch/schedule.ts';",
  ],
  [
    'has no cycle of files, type imports included',
    'errors.ts',
    "export type { Event } from './model/events.ts';\nimport './cli.ts';",
  ],
  ['has no cycle of areas', 'errors.ts', "import type { Variant } from './variants/fields.ts';"],
  ['keeps each package in its area', 'core/job/new.ts', "import sharp from 'sharp';"],
  ['keeps each package in its area', 'commands/new.ts', "import chalk from 'chalk';"],
  ['keeps each package in its area', 'image/new.ts', "import lodash from 'lodash';"],
  [
    'lets core reach files and processes only through ports',
    'core/job/new.ts',
    "import { readFile } from 'node:fs/promises';",
  ],
  ['uses the process only in the allowed areas', 'core/job/new.ts', 'process.exit(1);'],
  ['uses the process only in the allowed areas', 'image/new.ts', "console.log('here');"],
  ['uses the process only in the allowed areas', 'report/new.ts', 'const a = process.env.HOME;'],
  ['never imports node:process', 'core/new.ts', "import { env } from 'node:process';"],
  ['loads lazily only with import()', 'config/new.ts', "createRequire(import.meta.url)('yaml');"],
  ['has each type and each exported name once', 'report/new.ts', 'export function runBatch() {}'],
  ['has each type and each exported name once', 'report/new.ts', 'type Variant = string;'],
  ['names settings in hints by their keys', 'core/new.ts', "const fix = 'choose another {{output}}';"],
  [
    'names no flag in core, adapters and image',
    'image/new.ts',
    "throw new ImgtoolError('io', 'no', { fix: 'use --jobs 1' });",
  ],
  [
    'names no flag in core, adapters and image',
    'adapters/sqlite/errors.ts',
    "const fix = 'name another file with --index';",
  ],
  ['has no file above 300 lines', 'core/new.ts', 'a;\n'.repeat(301)],
  ['has no file or folder for unrelated things', 'core/utils.ts', ''],
];

describe('a mistake', () => {
  it.each(MISTAKES)('is caught: %s (%s)', (rule, path, text) => {
    const others = FILES.filter((file) => file.path !== path);
    const old = FILES.find((file) => file.path === path)?.text ?? '';
    expect(violations(rule, [...others, { path, text: `${text}\n${old}` }]).length).toBeGreaterThan(0);
  });
});

describe('the parser of imports', () => {
  it('finds every form, and recognises the imports that the compiler removes', () => {
    const text = `
import a from 'a';
import type { B } from 'b';
import { type C } from 'c';
import 'd';
import * as e from "e";
import {
  f,
  g,
} from './f.ts';
export { h } from './h.ts';
export type {
  I,
} from './i.ts';
export * from './j.ts';
const k = await import('./k.ts');
type L = import('./l.ts').L;
const n: typeof import('n') = createRequire(import.meta.url)('n');
import type from 'm';
/* import 'never'; */
// import 'never';
export const from = 'never';
`;
    expect(importsOf(text).map(({ from, isType }) => (isType ? `type ${from}` : from))).toEqual([
      'a',
      'type b',
      'c',
      'd',
      'e',
      './f.ts',
      './h.ts',
      'type ./i.ts',
      './j.ts',
      'm',
      './k.ts',
      './l.ts',
      'n',
      'n',
    ]);
  });
});
