import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import sharp from 'sharp';
import { expect } from 'vitest';
import type { Outcome, Place } from './imgtool.ts';

/** The document that `verify --json` prints. */
interface Document {
  readonly v: number;
  readonly batch: string | null;
  readonly verified: number;
  readonly wrong: number;
  readonly gone: number;
  readonly problems: readonly {
    readonly path: string;
    readonly source: string;
    readonly variant: string;
    readonly problem: string;
    readonly message: string;
    readonly fixed?: boolean;
    readonly error?: { readonly code: string; readonly message: string; readonly fix?: string };
  }[];
  readonly fixed?: number;
  readonly forgotten?: number;
  readonly batches?: readonly string[];
}

export async function verify(
  place: Place,
  ...args: string[]
): Promise<Outcome & { readonly document: Document }> {
  const outcome = await place.run(['verify', '--json', ...args]);
  return { ...outcome, document: JSON.parse(outcome.stdout) as Document };
}

/** The problem of each output, by file name. */
export function wordsOf(place: Place, { problems }: Document): Record<string, string[]> {
  const words: Record<string, string[]> = {};
  for (const { path, problem } of problems) {
    const name = path.slice(place.at('out').length + 1);
    words[name] = [...(words[name] ?? []), problem];
  }
  return words;
}

/** Changes one byte in place as a failing disk does: size and time stay the same. By default near the end. */
export function rot(path: string, at = statSync(path).size - 9): void {
  const before = statSync(path, { bigint: true });
  const reference = `${path}.reference`;
  execFileSync('cp', ['-p', path, reference]);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([readFileSync(path)[at]! ^ 0x55]), 0, 1, at);
  closeSync(file);
  execFileSync('touch', ['-r', reference, path]);
  rmSync(reference);
  const { size, mtimeNs, ino } = statSync(path, { bigint: true });
  expect([size, mtimeNs, ino]).toEqual([before.size, before.mtimeNs, before.ino]);
}

/** Damage that verify can detect, and the problem that verify reports for it. */
export const HARMS = {
  removed: { do: (path: string) => rmSync(path), words: ['missing'] },
  folder: {
    do(path: string) {
      rmSync(path);
      mkdirSync(path);
    },
    words: ['foreign'],
  },
  link: {
    do(path: string) {
      rmSync(path);
      symlinkSync(process.execPath, path);
    },
    words: ['foreign'],
  },
  pipe: {
    do(path: string) {
      rmSync(path);
      execFileSync('mkfifo', [path]);
    },
    words: ['foreign'],
  },
  cut: { do: (path: string) => truncateSync(path, 60), words: ['changed', 'undecodable'] },
  text: { do: (path: string) => writeFileSync(path, 'hello'), words: ['changed', 'undecodable'] },
  empty: { do: (path: string) => truncateSync(path, 0), words: ['changed', 'undecodable'] },
  edited: {
    do: async (path: string) =>
      writeFileSync(path, await sharp(path).negate().webp({ lossless: true }).toBuffer()),
    words: ['changed'],
  },
  smaller: {
    do: async (path: string) => writeFileSync(path, await sharp(path).resize(10).webp().toBuffer()),
    words: ['changed', 'different'],
  },
  converted: {
    do: async (path: string) => writeFileSync(path, await sharp(path).png().toBuffer()),
    words: ['changed', 'different'],
  },
  exif: {
    do: async (path: string) =>
      writeFileSync(
        path,
        await sharp(path)
          .withExif({ IFD0: { Copyright: 'me' } })
          .toBuffer(),
      ),
    words: ['changed', 'metadata'],
  },
} as const;
