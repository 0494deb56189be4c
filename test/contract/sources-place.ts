import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WalkRules } from '../../src/model.ts';
import type { Hint, OpenSources, Sources, WalkEntry, WalkScope } from '../../src/ports.ts';
import { makePlace } from '../place.ts';

export const RULES: WalkRules = {
  allFiles: false,
  followSymlinks: false,
  ignoreCtime: false,
  include: [],
  exclude: [],
  base: null,
  out: '/nowhere/out',
  index: '/nowhere/index.db',
  hasFolders: true,
};

/** A separate folder with sources. */
export interface SourcesPlace {
  at(path: string): string;
  /** Writes files that contain their own names. */
  put(...paths: string[]): void;
  remove(...paths: string[]): void;
  open(paths: readonly string[], rules?: Partial<WalkRules>): Promise<Sources>;
}

export function placeOf(open: OpenSources): SourcesPlace {
  const cwd = makePlace();
  const at = (path: string) => join(cwd, path);
  return {
    at,
    put(...paths) {
      for (const path of paths) {
        mkdirSync(dirname(at(path)), { recursive: true });
        writeFileSync(at(path), path);
      }
    },
    remove(...paths) {
      for (const path of paths) rmSync(at(path), { recursive: true, force: true });
    },
    open: (paths, rules = {}) => open({ paths, list: null, cwd }, { ...RULES, ...rules }),
  };
}

export async function walked(sources: Sources, part?: WalkScope): Promise<WalkEntry[]> {
  const entries: WalkEntry[] = [];
  for await (const entry of sources.walk(new AbortController().signal, part)) entries.push(entry);
  return entries;
}

/** The found sources as the user would write them. */
export function found(entries: readonly WalkEntry[]): string[] {
  return entries.flatMap((entry) => (entry.type === 'found' ? [entry.given] : []));
}

/** Collects change events. */
export interface Ear {
  readonly hints: readonly Hint[];
  readonly hear: (hint: Hint) => void;
  /** Resolves once a matching event has arrived, before or after this call. */
  heard(matches: (hint: Hint) => boolean): Promise<Hint>;
  changed(path: string): Promise<Hint>;
  warned(text: string): Promise<Hint>;
  /** Drops all collected events. */
  forget(): void;
}

export function openEar(): Ear {
  const hints: Hint[] = [];
  const waiting = new Set<() => void>();
  const heard: Ear['heard'] = async (matches) => {
    for (;;) {
      const hint = hints.find(matches);
      if (hint !== undefined) return hint;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  return {
    hints,
    hear(hint) {
      hints.push(hint);
      for (const wake of waiting) wake();
      waiting.clear();
    },
    heard,
    changed: (path) => heard((hint) => hint.type === 'changed' && hint.path === path),
    warned: (text) => heard((hint) => hint.type === 'warning' && hint.message.includes(text)),
    forget: () => void hints.splice(0),
  };
}
