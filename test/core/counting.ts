import { basename } from 'node:path';
import type { Renderer, Storage } from '../../src/ports.ts';
import { rendererWith } from './made-up.ts';

/** File names that a run has read, rendered and checked, in order. */
export interface Counted {
  /** Sources, opened or digested. */
  read: string[];
  /** Rendered sources. */
  rendered: string[];
  /** Outputs whose checksums were read. */
  checked: string[];
}

export const nothingCounted = (): Counted => ({ read: [], rendered: [], checked: [] });

/** A made-up renderer and a real storage that record their calls. */
export function countingPorts(counted: Counted, storage: Storage) {
  const renderer = rendererWith((source) => void counted.rendered.push(basename(source)));
  const counting: Renderer = {
    ...renderer,
    open: async (...given) => {
      counted.read.push(basename(given[0].path));
      return renderer.open(...given);
    },
    digest: async (...given) => {
      counted.read.push(...given[0].map(({ path }) => basename(path)));
      return renderer.digest(...given);
    },
  };
  return {
    renderer: counting,
    storage: {
      ...storage,
      checksum: async (path: string) => {
        counted.checked.push(basename(path));
        return storage.checksum(path);
      },
    },
  };
}
