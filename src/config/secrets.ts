import { readFileSync, statSync } from 'node:fs';
import { ImgtoolError, systemCode } from '../errors.ts';
import type { Warning } from '../model.ts';

/** Shorter secrets of HS256 can be guessed (RFC 7518, section 3.2). */
const LEAST_BYTES = 32;
const MAKE_ONE = 'make one with: openssl rand -hex 32';

/** The secrets of a file, one a line. Never shows any of them. Errors: `config`. */
export function readSecrets(path: string): readonly string[] {
  const lines = linesOf(path).map((line, i) => ({ secret: line.trim(), number: i + 1 }));
  const secrets = lines.filter(({ secret }) => secret !== '');
  const short = secrets.find(({ secret }) => Buffer.byteLength(secret) < LEAST_BYTES);
  if (short !== undefined) {
    const bytes = Buffer.byteLength(short.secret);
    const message = `${path}: line ${short.number}: expected a secret of at least ${LEAST_BYTES} bytes, got ${bytes}`;
    throw new ImgtoolError('config', message, { fix: MAKE_ONE });
  }
  if (secrets.length > 0) return secrets.map(({ secret }) => secret);
  throw new ImgtoolError('config', `${path}: expected a secret, got an empty file`, { fix: MAKE_ONE });
}

/** A warning if every user of this machine can read the file. */
export function warnIfOpen(path: string): Warning[] {
  // Windows has other permissions.
  if (process.platform === 'win32' || (statSync(path).mode & 0o004) === 0) return [];
  const message = `${path}: every user of this machine can read the secrets`;
  return [{ type: 'warning', message, fix: `chmod 600 ${path}` }];
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (cause) {
    const message = `${path}: the secrets could not be read (${systemCode(cause) ?? cause})`;
    const fix = `check the path and the permissions of {{jwtSecretFile}}, or ${MAKE_ONE} > ${path}`;
    throw new ImgtoolError('config', message, { fix, cause });
  }
}
