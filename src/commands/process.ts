import { batchOptions, type Config, ownGlobs } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import type { Inputs } from '../ports.ts';
import { attend, type Call, prepare, type Verb, withEngine } from './verb.ts';

export const processVerb: Verb = {
  summary: 'render the variants of files and folders',
  description: 'Renders files, folders (with all folders below them) and quoted globs, as one batch.',
  settings: ['inputs', 'lists', 'outputs', 'variants', 'limits', 'work', 'display', 'settings'],
  argument: ['[path...]', 'files, folders or quoted globs'],
  examples: [
    'imgtool process photos --out out',
    'imgtool process photos --out out --preset compat --dry-run',
    'imgtool process photos --out out --variant hero:w=1600,format=avif,q=55',
  ],
  async run(call) {
    const { config } = await prepare(call);
    const inputs = inputsOf(call, config);
    return withEngine(config, async (engine) => {
      const request = { inputs, options: batchOptions(config), profile: config.profile };
      return attend(call, config, 'process', engine, await engine.process(request));
    });
  },
};

function inputsOf({ paths, options }: Call, config: Config): Inputs {
  const from = options.filesFrom;
  if (paths.length === 0 && typeof from !== 'string') {
    throw new ImgtoolError('usage', 'nothing to process: no file or folder was named', {
      fix: 'imgtool process <path…>, or --files-from FILE',
    });
  }
  if (options.nul === true && typeof from !== 'string') {
    throw new ImgtoolError('usage', '-0 says how a list ends its paths, and there is no list', {
      fix: 'add --files-from FILE, or --files-from - for standard input',
    });
  }
  const list = typeof from === 'string' ? { from, nul: options.nul === true } : null;
  return { paths, list, cwd: config.cwd, ownGlobs: ownGlobs(config) };
}
