import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './group.ts';
import type { Place, Session } from './imgtool.ts';

/** Holds a batch in the midst of its work: it cannot end before the test has acted, however late that comes to it. */
export interface Gate {
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once so many were held in all, with the children that do, newest last; rejects when the session ends before. */
  held(session: Session, count?: number): Promise<number[]>;
  /** Lets so many more through. */
  pass(count: number): void;
  /** Lets all through, now and from now on. */
  open(): void;
}

interface Where {
  /** What children are held at when they open it, or anything below: a source before it is read, a staged file before it is written. */
  readonly before?: string;
  /** So many are not held. */
  readonly free?: number;
  /** Those that are held are so for ever, as busy as in an encode; the parent's timers of many seconds do not end either. */
  readonly endless?: boolean;
}

const KEEPER = new URL('./gate-keeper.js', import.meta.url).href;
let made = 0;

/** A gate for one binary to be started with, as its options. By default the second source is held, and all after it. */
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
