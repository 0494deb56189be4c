import { type Config, type Flags, flagsOf, givenLimits } from '../config.ts';
import type { How } from '../engine.ts';
import { ImgtoolError } from '../errors.ts';
import { statusJson } from '../report/json.ts';
import { cancelledText, nothingLeftText } from '../report/status.ts';
import { isChangedUpload } from './uploads.ts';
import { attend, BATCH_ID, type Call, LOOKING, prepare, type Verb, WORKING, withMade } from './verb.ts';

export const resumeVerb: Verb = {
  summary: 'continue a batch that was interrupted or cancelled',
  description: 'Continues a batch that was interrupted or cancelled, with the settings that it started with.',
  settings: WORKING,
  argument: BATCH_ID,
  examples: ['imgtool resume last', 'imgtool resume 28256677 --jobs 2'],
  run: (call) => again('resume', call),
};

export const retryVerb: Verb = {
  summary: 'process the failed images of a batch again',
  description:
    'Processes the failed images of a batch again, and the images that an interrupted batch left. The limits that you' +
    ' give replace those of the batch.',
  settings: WORKING,
  argument: BATCH_ID,
  examples: ['imgtool retry last', 'imgtool retry 28256677 --limit-pixels 400M'],
  run: (call) => again('retry', call),
};

export const cancelVerb: Verb = {
  summary: 'stop a running batch, from any terminal',
  description:
    'Stops a batch: images that are being processed finish, the others are cancelled. Returns when the batch has ended.',
  settings: LOOKING,
  argument: BATCH_ID,
  examples: ['imgtool cancel last', 'imgtool cancel 28256677'],
  async run(call) {
    const prepared = await prepare(call);
    if (await isChangedUpload('cancel', call, prepared)) return 'ok';
    const { config, print } = prepared;
    return withMade(config, async (engine) => {
      const { batch, was, other } = await engine.cancel(call.paths[0] ?? '');
      await print(statusJson(batch, []), (style) => cancelledText(batch, was, style, other));
      return 'ok';
    });
  },
};

async function again(how: How, call: Call) {
  const prepared = await prepare(call);
  const { config, print } = prepared;
  if (config.dryRun) {
    throw new ImgtoolError('usage', `--dry-run: ${how} has no dry run`, {
      fix: 'turn it off in the file or variable that asks for it',
    });
  }
  if (await isChangedUpload(how, call, prepared)) return 'ok';
  return withMade(config, async (engine) => {
    const changes = changesOf(config, flagsOf(call.options));
    const { batch, run, warnings, other } = await engine.again(how, call.paths[0] ?? '', changes);
    if (run !== undefined) {
      const { outGiven } = batch.options;
      return attend(call, { ...config, outGiven }, how, engine, run, warnings);
    }
    await print(statusJson(batch, []), (style) => nothingLeftText(batch, how, style, other));
    return 'ok';
  });
}

/** The changes that the command line makes to the options of the batch, and the surroundings of the command. */
function changesOf(config: Config, flags: Flags) {
  const { jobs, memory, memoryCap, cwd, profile } = config;
  return {
    jobs: flags.jobs === undefined ? undefined : jobs,
    memory: flags.memory === undefined ? undefined : { memory, memoryCap },
    free: { memory, memoryCap },
    limits: givenLimits(config, flags),
    cwd,
    profile,
  };
}
