import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './group.ts';
import type { Place, Session } from './imgtool.ts';

/** Holds a batch in the midst of its work, however late the test comes to act: it cannot end by itself. */
export interface Gate {
  /** For the binary to be started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once so many pictures are in work and held; rejects when the session ends before. */
  held(session: Session, count?: number): Promise<void>;
  /** Lets all go on, now and from now on. */
  open(): void;
}

const KEEPER = new URL('./gate-keeper.js', import.meta.url).href;
let gates = 0;

/** Lets children read the first so many pictures of a folder; whatever comes after is in work until the gate is open. */
export function makeGate(place: Place, free = 1, folder = 'photos'): Gate {
  const gate = place.at('..', `gate-${gates++}`);
  mkdirSync(gate);
  return {
    env: {
      NODE_OPTIONS: `--import=${KEEPER}`,
      TEST_GATE: gate,
      TEST_GATE_FREE: String(free),
      TEST_GATE_FOLDER: place.at(folder),
    },
    async held(session, count = 1) {
      let isEnded = false;
      session.ended.then(() => {
        isEnded = true;
      });
      const isHeld = () => readdirSync(gate).filter((name) => name.startsWith('held-')).length >= count;
      await until(`${count} pictures held, or the end`, () => isHeld() || isEnded);
      if (!isHeld()) throw new Error(`ended without ${count} pictures held: ${(await session.ended).stderr}`);
    },
    open() {
      if (!existsSync(join(gate, 'open'))) mkdirSync(join(gate, 'open'));
    },
  };
}
