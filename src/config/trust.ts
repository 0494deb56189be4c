import { readFileSync } from 'node:fs';
import { ImgtoolError, orUndefined } from '../errors.ts';

/** Decides which settings files are used without being named. Settings decide which files are read and replaced. */

interface User {
  /** The numeric id of the effective user. Undefined on systems without such ids. */
  readonly effective: number | undefined;
  /** SUDO_UID: the user who called sudo. */
  readonly sudo: string | undefined;
  readonly ownerOfCwd: number | undefined;
}

/**
 * Checks the owners of a file that was found. For a link these are the owner of the link and the owner of its target.
 * Trusted owners are the user, root and the caller of sudo. Root also trusts the owner of the working folder, because
 * containers often run as root over a user's files. Errors: `config`.
 */
export function assertTrusted(path: string, owners: readonly number[], user: User): void {
  const { effective, sudo = '', ownerOfCwd } = user;
  if (effective === undefined) return;
  const caller = /^\d{1,10}$/.test(sudo) ? Number(sudo) : undefined;
  const trusted = [0, effective, caller, effective === 0 ? ownerOfCwd : undefined];
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
