import { accessSync, constants, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Config, hintAsFlags } from '../config.ts';
import { asImgtoolError, restoreCommand, systemCode } from '../errors.ts';
import { isNearlyFull } from '../model/images.ts';
import type { Check, StoreHealth } from '../model/mended.ts';
import { uploadsIn } from '../report/doctor.ts';
import { count, counted } from '../report/format.ts';

// The checks of `imgtool doctor` on disks, and on what a service keeps.

export const MB = 1_000_000;
/** Free bytes below which a folder or the machine gets a warning. */
export const LITTLE = 500 * MB;

export const ok = (name: string, value: string): Check => ({ name, state: 'ok', value });
export const warning = (name: string, value: string, fix: string): Check => ({
  ...{ name, state: 'warning', value, fix },
});
export const problem = (name: string, value: string, fix?: string): Check => ({
  ...{ name, state: 'problem', value, fix },
});

/** A check that could not be made. */
export function failedCheck(name: string, error: unknown): Check {
  const { message, fix } = asImgtoolError(error);
  return problem(name, message, fix && hintAsFlags(fix));
}

export function aboutSpace(name: string, path: string, fix: string): Check {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      const free = bavail * bsize;
      const value = `${Math.round(free / MB)} MB free at ${folder}`;
      return free < LITTLE ? warning(name, value, fix) : ok(name, value);
    } catch (error) {
      if (folder === dirname(folder)) return problem(name, asImgtoolError(error).message, fix);
    }
  }
}

/** The store of uploads and the folder of the objects. Nothing where no service has been, and none is planned. */
export async function aboutService({ index, storage, origins }: Config): Promise<Check[]> {
  const { checkStore } = await import('../maintenance.ts');
  try {
    const health = await checkStore(index);
    const isPlanned = origins.some(({ key, origin }) => key === 'storage' && origin !== 'default');
    if (health === undefined) return isPlanned ? [aboutStorage(storage, 0)] : [];
    const used = isPlanned ? storage : (health.storage ?? storage);
    return [aboutStore(health), aboutStorage(used, health.outputs)];
  } catch (error) {
    return [failedCheck('store', error), aboutStorage(storage, 0)];
  }
}

function aboutStore(health: StoreHealth): Check {
  const { path, version, bytes, isServed, problems } = health;
  const size = `${(bytes / MB).toFixed(1)} MB`;
  const served = isServed ? ', in use by imgtool serve' : '';
  const value = `${path} (version ${version}, ${size}, ${uploadsIn(health)}${served})`;
  if (problems.length === 0) return ok('store', value);
  return problem('store', `${value}: ${problems.slice(0, 3).join('; ')}`, restoreCommand(path));
}

/** `outputs`: those that must be there. */
function aboutStorage(folder: string, outputs: number): Check {
  const name = 'storage';
  const another = 'choose another folder with storage in .imgtoolrc, or imgtool serve --storage';
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, blocks, bsize } = statfsSync(folder);
    const space = { free: bavail * bsize, total: blocks * bsize };
    const value = `${folder} (${count(space.free / MB)} MB free of ${count(space.total / MB)} MB)`;
    if (!isNearlyFull(space)) return ok(name, value);
    const fix = `free some space, or ${another}`;
    return problem(name, `${value}: too little, so imgtool serve accepts no uploads`, fix);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') {
      return problem(name, `${folder}: cannot be written (${systemCode(error)})`, another);
    }
    if (outputs === 0) return ok(name, `${folder}: is not there; imgtool serve makes it`);
    const fix = 'put it back from a copy, or name its place with storage in .imgtoolrc';
    return problem(name, `${folder}: is not there, but must have ${counted(outputs, 'output')}`, fix);
  }
}
