import { batchOptions, type Config } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import type { Inputs } from '../ports.ts';
import { attend, prepare, type Verb, withEngine } from './verb.ts';

export const watchVerb: Verb = {
  summary: 'render the files that arrive in folders, until stopped',
  description: 'Renders the files that are in the folders, then every file that arrives, until Ctrl-C.',
  settings: ['watch', 'inputs', 'outputs', 'variants', 'limits', 'work', 'display', 'settings'],
  argument: ['[dir...]', 'folders to watch'],
  // `foldersOf` reports an error if a file or a variable turns it on.
  hidden: ['--dry-run'],
  examples: ['imgtool watch photos --out out', 'imgtool watch photos --out out --once'],
  async run(call) {
    const { config } = await prepare(call);
    const inputs = foldersOf(call.paths, config);
    return withEngine(config, async (engine) => {
      const request = { inputs, options: batchOptions(config), profile: config.profile };
      const run = await engine.watch(request, config.watch);
      return attend(call, config, 'watch', engine, run);
    });
  },
};

function foldersOf(paths: readonly string[], { cwd, dryRun }: Config): Inputs {
  if (paths.length === 0) {
    throw new ImgtoolError('usage', 'nothing to watch: no folder was named', { fix: 'imgtool watch <dir…>' });
  }
  if (dryRun) {
    throw new ImgtoolError('usage', '--dry-run: a watch has no dry run', {
      fix: 'imgtool process --dry-run shows what would be made of what is there now',
    });
  }
  return { paths, list: null, cwd, onlyFolders: 'watched' };
}
