import { readFileSync } from 'node:fs';
import { ImgtoolError } from '../errors.ts';

/** Which settings files are safe to use without being named: settings decide what is read, written and replaced. */

/** The user of the program, by numbers. */
export interface User {
  /** The effective user of the process; undefined on systems without user numbers. */
  readonly effective: number | undefined;
  /** The user who called sudo. */
  readonly sudo: number | undefined;
}

export function userIn(env: NodeJS.ProcessEnv, effective = process.geteuid?.()): User {
  const sudo = /^\d{1,10}$/.test(env.SUDO_UID ?? '') ? Number(env.SUDO_UID) : undefined;
  return { effective, sudo };
}

/**
 * Checks the owners of a file that was found. A link has two owners: of the link and of its target. Trusted are the
 * user, root and the caller of sudo. Root also trusts the owner of the working folder, because containers often run as
 * root over the files of a user. Errors: `config`.
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

/** The name from the system's list of users, with the number. */
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
