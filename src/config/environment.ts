import { accessSync, constants, fstatSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { orUndefined } from '../errors.ts';

/** What the environment reveals about the terminal. */
export interface TerminalTraits {
  /** NO_COLOR is set. */
  readonly noColor: boolean;
  /** TERM=dumb: the terminal understands no control codes. */
  readonly dumb: boolean;
  /** The locale is UTF-8. */
  readonly unicode: boolean;
  /** Standard error is the systemd journal, which adds its own timestamps. */
  readonly journal: boolean;
  /** CI is set: a build server shows the output as a log. */
  readonly ci: boolean;
}

export function terminalTraits(env: NodeJS.ProcessEnv, platform = process.platform): TerminalTraits {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return {
    noColor: Boolean(env.NO_COLOR),
    dumb: env.TERM === 'dumb',
    // Terminals on macOS and Windows use UTF-8 and often set no locale.
    unicode: locale === '' ? platform === 'darwin' || platform === 'win32' : /utf-?8/i.test(locale),
    journal: isJournal(env.JOURNAL_STREAM),
    ci: Boolean(env.CI) && env.CI !== 'false',
  };
}

/** JOURNAL_STREAM is "device:inode". A child whose standard error is redirected inherits the variable too. */
function isJournal(stream: string | undefined): boolean {
  const stderr = stream ? orUndefined(() => fstatSync(2, { bigint: true })) : undefined;
  return stderr !== undefined && stream === `${stderr.dev}:${stderr.ino}`;
}

/** What the environment says about the display, also where no config could be loaded. */
export function environment(env: NodeJS.ProcessEnv = process.env) {
  // DEBUG names imgtool, alone or in a list: errors show their stacks.
  const words = (env.DEBUG ?? '').split(/[\s,]+/);
  const debug = words.some((word) => word === '*' || /^imgtool(:|$)/.test(word));
  return { look: terminalTraits(env), debug };
}

/** Looks for a program as the system does: a name without a slash is in a folder of PATH. */
export function isProgram(name: string, env: NodeJS.ProcessEnv = process.env): boolean {
  const folders = name.includes('/') ? [''] : (env.PATH ?? '').split(delimiter);
  const isIn = (folder: string) => {
    const path = join(folder, name);
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  };
  // Windows adds an ending to the name.
  return process.platform === 'win32' || folders.some((folder) => orUndefined(() => isIn(folder)));
}
