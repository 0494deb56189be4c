import { fstatSync } from 'node:fs';

/** What the environment says of how text may look. */
export interface Look {
  /** NO_COLOR is set. */
  readonly noColor: boolean;
  /** TERM=dumb: no control codes at all. */
  readonly dumb: boolean;
  /** The locale is UTF-8. */
  readonly unicode: boolean;
  /** Standard error is systemd's journal, which stamps lines itself. */
  readonly journal: boolean;
  /** A build server, which shows what is written as a log. */
  readonly ci: boolean;
}

export function lookOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): Look {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return {
    noColor: Boolean(env.NO_COLOR),
    dumb: env.TERM === 'dumb',
    // macOS and Windows terminals are UTF-8 and often set no locale.
    unicode: locale === '' ? platform === 'darwin' || platform === 'win32' : /utf-?8/i.test(locale),
    journal: isJournal(env.JOURNAL_STREAM),
    ci: Boolean(env.CI) && env.CI !== 'false',
  };
}

/** JOURNAL_STREAM is "device:inode"; a child with its own standard error inherits the variable all the same. */
function isJournal(stream: string | undefined): boolean {
  if (!stream) return false;
  try {
    const { dev, ino } = fstatSync(2, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** DEBUG names imgtool, alone or in a list. */
export function isDebug(env: NodeJS.ProcessEnv): boolean {
  return (env.DEBUG ?? '').split(/[\s,]+/).some((word) => word === '*' || /^imgtool(:|$)/.test(word));
}
