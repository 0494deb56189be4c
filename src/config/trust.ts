import { readFileSync } from 'node:fs';
import { ImgtoolError } from '../errors.ts';

/** Whose files of settings are obeyed where nobody named them: a file says what is read, written and replaced. */

/** Whom the program works for. Users are their numbers. */
export interface User {
  /** Whose rights the process has; undefined on systems without such numbers. */
  readonly effective: number | undefined;
  /** Who called sudo. */
  readonly sudo: number | undefined;
}

export function userIn(env: NodeJS.ProcessEnv, effective = process.geteuid?.()): User {
  const sudo = /^\d{1,10}$/.test(env.SUDO_UID ?? '') ? Number(env.SUDO_UID) : undefined;
  return { effective, sudo };
}

/**
 * Checks the owners of a file that was found, which are several where it is a link: the link's and the file's. The
 * user, root and whoever called sudo are trusted; where the user is root, also the owner of the working folder, since a
 * container often runs as root over somebody's files. Errors: `config`.
 */
export function assertTrusted(
  path: string,
  owners: readonly number[],
  user: User,
  ownerOfCwd: number | undefined,
): void {
  const { effective, sudo } = user;
  if (effective === undefined) return;
  const trusted = [0, effective, sudo, effective === 0 ? ownerOfCwd : undefined];
  const stranger = owners.find((owner) => !trusted.includes(owner));
  if (stranger === undefined) return;
  throw new ImgtoolError('config', `${path}: belongs to ${nameOf(stranger)}, whose settings are not obeyed`, {
    fix: `name it with --config ${path} if you trust it, or leave it out with --no-config`,
  });
}

/** As the system's list of users has it. */
function nameOf(user: number): string {
  const entry = new RegExp(`^([^:\n]+):[^:\n]*:${user}:`, 'm').exec(listOfUsers());
  return entry?.[1] === undefined ? `user ${user}` : `${entry[1]} (user ${user})`;
}

function listOfUsers(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}
