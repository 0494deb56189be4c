import { batchOptions, type Config } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import type { Inputs } from '../ports.ts';
import { attend, type Call, configOf, type Verb, withEngine } from './verb.ts';

export const processVerb: Verb = {
  summary: 'turn files and folders into variants',
  description: 'One batch over files and folders (folders recursively; quoted globs work too).',
  settings: ['inputs', 'lists', 'outputs', 'limits', 'work', 'display', 'settings'],
  argument: ['[path...]', 'files, folders or quoted globs'],
  async run(call) {
    const config = await configOf(call);
    const inputs = inputsOf(call, config.cwd);
    return withEngine(config, async (engine) => {
      const request = { inputs, options: batchOptions(config), profile: config.verbose };
      return attend(call, config, 'process', engine, await engine.process(request));
    });
  },
};

export const watchVerb: Verb = {
  summary: 'turn what lands in folders into variants, until stopped',
  description: 'What is in the folders now, then whatever lands in them, until Ctrl-C.',
  settings: ['watch', 'inputs', 'outputs', 'limits', 'work', 'display', 'settings'],
  argument: ['[dir...]', 'folders'],
  // `foldersOf` reports an error if a file or a variable turns it on.
  hidden: ['--dry-run'],
  async run(call) {
    const config = await configOf(call);
    const inputs = foldersOf(call.paths, config);
    return withEngine(config, async (engine) => {
      const request = { inputs, options: batchOptions(config), profile: config.verbose };
      const run = await engine.watch(request, config.watch);
      return attend(call, config, 'watch', engine, run, { inputs: inputs.paths });
    });
  },
};

function inputsOf({ paths, options }: Call, cwd: string): Inputs {
  const from = options.filesFrom;
  if (paths.length === 0 && typeof from !== 'string') {
    throw new ImgtoolError('usage', 'nothing to process: no file or folder was named', {
      fix: 'imgtool process <path…>, or --files-from FILE',
    });
  }
  return { paths, list: typeof from === 'string' ? { from, nul: options.nul === true } : null, cwd };
}

function foldersOf(paths: readonly string[], { cwd, dryRun }: Config): Inputs {
  if (paths.length === 0) {
    throw new ImgtoolError('usage', 'nothing to watch: no folder was named', { fix: 'imgtool watch <dir…>' });
  }
  if (dryRun) {
    throw new ImgtoolError('usage', '--dry-run: a watch has nothing to foresee', {
      fix: 'imgtool process --dry-run shows what would be made of what is there now',
    });
  }
  return { paths, list: null, cwd, onlyFolders: true };
}
