import { readFileSync } from 'node:fs';
import { ImgtoolError, orUndefined } from '../errors.ts';

/** Decides which settings files are used without being named. Settings decide which files are read and replaced. */

/** The numeric user ids of the process. */
export interface User {
  /** The effective user. Undefined on systems without numeric ids. */
  readonly effective: number | undefined;
  /** The user who called sudo. */
  readonly sudo: number | undefined;
}

export function userIn(env: NodeJS.ProcessEnv, effective = process.geteuid?.()): User {
  const sudo = /^\d{1,10}$/.test(env.SUDO_UID ?? '') ? Number(env.SUDO_UID) : undefined;
  return { effective, sudo };
}

/**
 * Checks the owners of a file that was found. For a link these are the owner of the link and the owner of its target.
 * Trusted owners are the user, root and the caller of sudo. Root also trusts the owner of the working folder, because
 * containers often run as root over a user's files. Errors: `config`.
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

/** The user's name and number. The name comes from the system's user list. */
function nameOf(user: number): string {
  const users = orUndefined(() => readFileSync('/etc/passwd', 'utf8')) ?? '';
  const entry = new RegExp(`^([^:\n]+):[^:\n]*:${user}:`, 'm').exec(users);
  return entry?.[1] === undefined ? `user ${user}` : `${entry[1]} (user ${user})`;
}
