import { resolve } from 'node:path';
import { ask, run } from '../run.js';

const ROOT = resolve(import.meta.dirname, '../../..');

export const BINARY = resolve(ROOT, 'bin/imgtool.js');

export async function imgtool() {
  return {
    name: 'imgtool',
    how: 'whole command, new index, every output synced to the disk',
    command: ['imgtool', ...processing('photographs', 'out').slice(1)].join(' '),
    version: await ask(process.execPath, [BINARY, '--version'], /(\S+)/),
    run: ({ folder }, out, more = []) => processed(folder, out, more),
  };
}

/** Milliseconds of a whole batch; its index lies beside the outputs. */
export async function processed(folder, out, more = []) {
  return (await run(process.execPath, processing(folder, out, more))).ms;
}

/** How a batch ended, as the program tells it. */
export async function counted(folder, out, more = []) {
  const args = processing(folder, out, [...more, '--json']);
  const { stdout } = await run(process.execPath, args, { capture: true });
  return JSON.parse(stdout.trim().split('\n').at(-1)).counts;
}

/** The arguments of Node. */
export function processing(folder, out, more = []) {
  return [BINARY, 'process', folder, '--out', out, '--index', `${out}.db`, '--no-config', ...more];
}
