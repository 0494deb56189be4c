import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import type { Fixing } from '../../../src/core/verify/fix.ts';
import type { Looked } from '../../../src/model/verified.ts';
import type { Inspected } from '../../../src/model.ts';
import { openWorkshop, rendererWith, type Workshop } from '../made-up.ts';

export const FINE: Decoded = { format: 'webp', width: 40, height: 30, metadata: [], digests: {} };

/** What a picture that is decoded looks like. */
export type Decoded = Omit<Inspected, 'checksum'>;

/** Four sources with their outputs, and the ports to check them. */
export interface Verification {
  readonly workshop: Workshop;
  /** Sources that were rendered again. */
  readonly rendered: string[];
  /** Number of batches begun since the first one. */
  batches(): number;
  out(name: string): string;
  /** The ports for checks and fixes, some of them replaced. */
  fixing(over?: Partial<Fixing>, inspect?: (path: string) => Promise<Decoded>): Fixing;
  /** Problem words by name of the source. */
  wordsOf(looked: Pick<Looked, 'wrong'>): Record<string, string[]>;
}

export async function openVerification(): Promise<Verification> {
  const rendered: string[] = [];
  const renderer = rendererWith(() => {});
  const both = async (inspect: (path: string) => Promise<Decoded>, path: string, timeout: number) => {
    const decoded = await inspect(path);
    return { ...(await renderer.inspect(path, timeout)), ...decoded };
  };
  let batches = 0;
  const workshop = await openWorkshop((source) => rendered.push(source));
  workshop.put('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg');
  await workshop.run();
  rendered.length = 0;
  return {
    workshop,
    rendered,
    batches: () => batches,
    out: (name) => workshop.at(`out/${name}_small.webp`),
    fixing: (over = {}, inspect = undefined) => ({
      sources: { gone: async () => [], missing: async () => [] },
      ...{ index: workshop.index, storage: openLocalStorage('0000'), timeout: 1_000 },
      renderer:
        inspect === undefined
          ? renderer
          : { ...renderer, inspect: (path, timeout) => both(inspect, path, timeout) },
      machine: { jobs: 2, memory: 1_000_000, memoryCap: 1_000_000, limits: {} },
      async open() {
        batches++;
        const { ports } = await workshop.prepare('process');
        return { ports, emit() {}, close() {} };
      },
      ...over,
    }),
    wordsOf: ({ wrong }) =>
      Object.fromEntries(
        wrong.map(({ record, problems }) => [
          record.path.slice(workshop.at('out/').length)[0] ?? '',
          problems.map(({ problem }) => problem),
        ]),
      ),
  };
}

export const never = (): AbortSignal => new AbortController().signal;
