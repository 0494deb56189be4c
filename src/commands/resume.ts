import { type Config, type Flags, flagsOf, givenLimits } from '../config.ts';
import type { How } from '../engine.ts';
import { ImgtoolError } from '../errors.ts';
import { attend, type Call, configOf, engineOf, type Outcome, pagesFor, type Verb, WORKING } from './verb.ts';

export const resumeVerb: Verb = {
  summary: 'go on with a batch that was interrupted or cancelled',
  description: 'Goes on with a batch that was interrupted or cancelled, with the settings it was begun with.',
  settings: WORKING,
  argument: ['<batch-id>', 'any unique beginning of its id'],
  run: (call) => again('resume', call),
};

export const retryVerb: Verb = {
  summary: 'work on the failed pictures of a batch again',
  description:
    'Works on the failed pictures of a batch again, and on what was left of one that was interrupted; limits that are' +
    ' given take the place of its own.',
  settings: WORKING,
  argument: ['<batch-id>', 'any unique beginning of its id'],
  run: (call) => again('retry', call),
};

async function again(how: How, call: Call): Promise<Outcome> {
  const config = await configOf(call);
  if (config.dryRun) {
    throw new ImgtoolError('usage', `--dry-run: ${how} has nothing to foresee`, {
      fix: 'turn it off in the file or variable that asks for it',
    });
  }
  const engine = await engineOf(config);
  try {
    const changes = { ...changesOf(config, flagsOf(call.options)), cwd: config.cwd, profile: config.verbose };
    const { batch, prepared, warnings } = await engine.again(how, call.paths[0] ?? '', changes);
    if (prepared === undefined) {
      await (await pagesFor(call, config)).nothingLeft(batch, how);
      return 'ok';
    }
    const batchConfig = { ...config, outGiven: batch.options.outGiven };
    return await attend(call, batchConfig, how, engine, prepared, { warnings });
  } finally {
    await engine.close();
  }
}

/** The changes that the command line makes to the options of the batch. */
function changesOf(config: Config, flags: Flags) {
  const { jobs, memory, memoryCap } = config;
  return {
    jobs: flags.jobs === undefined ? undefined : jobs,
    memory: flags.memory === undefined ? undefined : { memory, memoryCap },
    free: { memory, memoryCap },
    limits: givenLimits(config, flags),
  };
}
