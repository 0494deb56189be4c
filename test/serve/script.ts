import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { built } from '../adapters/children.ts';

/**
 * Builds a script in TypeScript, so that every version of Node runs it. It lies in `dist`, where it finds packages and the
 * script of the children.
 */
export async function buildScript(source: URL) {
  const input = fileURLToPath(source);
  const path = built(`test/${basename(input, '.ts')}-${process.pid}.js`);
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: (id) => isBuiltin(id) || !(id.startsWith('.') || isAbsolute(id)),
  });
  await bundle.write({ file: path, codeSplitting: false });
  await bundle.close();
  return {
    /** Runs it, and resolves to the signal that ended it. */
    async run(...args: string[]): Promise<unknown> {
      const child = fork(path, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const [, signal] = (await once(child, 'close')) as [unknown, unknown];
      return signal;
    },
    remove: () => rmSync(path),
  };
}
