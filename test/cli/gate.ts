import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './group.ts';
import type { Place, Session } from './imgtool.ts';

/** Holds a batch in the middle of its work. It cannot end before the test has acted, however late the test acts. */
export interface Gate {
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once this many opens were held, with the child processes, newest last. Rejects if the session ends. */
  held(session: Session, count?: number): Promise<number[]>;
  /** Lets this many more opens through. */
  pass(count: number): void;
  /** Lets all opens through, now and from now on. */
  open(): void;
}

interface Where {
  /** Child processes wait when they open this path or one below: before they read a source or write a staged file. */
  readonly before?: string;
  /** The number of opens to let through at first. */
  readonly free?: number;
  /** Held opens block forever, as an endless encode does. The parent's timers of many seconds never fire either. */
  readonly endless?: boolean;
}

const KEEPER = new URL('./gate-keeper.js', import.meta.url).href;
let made = 0;

/** Creates a gate, as options for starting one binary. By default it holds the second source and all later ones. */
export function makeGate(
  place: Pick<Place, 'at'>,
  { before = 'photos', free = 1, endless = false }: Where = {},
): Gate {
  const folder = place.at('..', `gate-${made++}`);
  mkdirSync(folder);
  let passes = 0;
  const pass = (count: number) => {
    for (const end = passes + count; passes < end; passes++) mkdirSync(join(folder, `pass-${passes}`));
  };
  pass(free);
  const pipe = join(folder, 'endless');
  if (endless) execFileSync('mkfifo', [pipe]);
  return {
    env: {
      NODE_OPTIONS: `--import=${KEEPER}`,
      TEST_GATE: folder,
      TEST_GATE_BEFORE: place.at(before),
      ...(endless ? { TEST_GATE_ENDLESS: pipe } : {}),
    },
    async held(session, count = 1) {
      let isEnded = false;
      session.ended.then(() => {
        isEnded = true;
      });
      const held = () => readdirSync(folder).filter((name) => name.startsWith('held-'));
      await until(`${count} held, or the end`, () => held().length >= count || isEnded);
      const byAge = (a: string, b: string) => bornAt(join(folder, a)) - bornAt(join(folder, b));
      const all = held().sort(byAge);
      if (all.length >= count) return all.map((name) => Number(name.split('-')[1]));
      const { stdout, stderr } = await session.ended;
      throw new Error(`ended without ${count} held: ${stdout}${stderr}`);
    },
    pass,
    open: () => mkdirSync(join(folder, 'open'), { recursive: true }),
  };
}

const bornAt = (path: string) => statSync(path).mtimeMs;
