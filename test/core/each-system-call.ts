import { openLocalStorage } from '../../src/adapters/local-storage.ts';
import { system, unwatched } from './faulty-system.ts';
import { rendererWith } from './made-up.ts';
import { eachInTurn, runThree } from './three.ts';

/** Lets each call of the file system fail, one per batch, with these codes in turn. */
export function eachSystemCall(codes: readonly string[]): Promise<void> {
  const faultAt = (at: number) => {
    const code = codes[at % codes.length];
    const error = (name: string) => Object.assign(new Error(`${code}: asked for, ${name}`), { code });
    return { at, when: 'before' as const, error, spares: (name: string) => name.endsWith('of the index') };
  };
  return eachInTurn(faultAt, async (three, wire, run) => {
    system.wire = wire;
    try {
      return await runThree(three, {
        storage: openLocalStorage(run),
        renderer: unwatched(rendererWith(() => {})),
      });
    } finally {
      system.wire = undefined;
    }
  });
}
