import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WalkRules } from '../../src/model.ts';
import type { Inputs, OpenSources, WalkEntry } from '../../src/ports.ts';
import { RULES } from './sources-place.ts';

/** What the contract tests of sources do with them. */

/** Writes files whose content is their path. */
export function put(cwd: string, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), path);
  }
}

/** Walks these inputs to the end. */
export async function walk(
  open: OpenSources,
  cwd: string,
  paths: string[],
  rules: Partial<WalkRules> = {},
  list: Inputs['list'] = null,
) {
  const sources = await open({ paths, list, cwd }, { ...RULES, ...rules });
  const entries: WalkEntry[] = [];
  for await (const entry of sources.walk(new AbortController().signal)) entries.push(entry);
  return {
    found: entries.flatMap((entry) => (entry.type === 'found' ? [entry.given] : [])),
    skipped: Object.fromEntries(
      entries.flatMap((entry) => (entry.type === 'skipped' ? [[entry.given, entry.reason]] : [])),
    ),
    entries,
  };
}
