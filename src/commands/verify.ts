import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { flagsOf, givenLimits } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import { isLive, openReport, styleOf } from '../report/open.ts';
import { prepare, type Verb, WORKING, withMade } from './verb.ts';

const KEEP_EDITED = 'leave outputs that somebody may have edited, as without a batch and paths';

export const verifyVerb: Verb = {
  summary: 'check that outputs exist, are undamaged and unchanged, and have no metadata',
  description:
    'Reads and decodes outputs: those of a batch, or those at the paths, below them and of the sources there. Without' +
    ' arguments, it checks all outputs in all output folders. Exits with 1 if an output is missing, was changed, cannot be' +
    ' decoded or has metadata that imgtool did not write.',
  settings: WORKING,
  argument: [
    '[batch-or-path...]',
    'a batch: its id, its first digits, or last; or outputs, sources and folders of them (default: all outputs)',
  ],
  // A check has no profile. Help shows the form of a flag that changes the default.
  hidden: ['--profile', '--no-keep-edited'],
  options: [
    [
      '--fix',
      'make outputs with problems again; replaces edited outputs too, but only those that a named batch or path has',
    ],
    ['--keep-edited', KEEP_EDITED],
    ['--no-keep-edited', KEEP_EDITED],
  ],
  examples: ['imgtool verify', 'imgtool verify last --fix', 'imgtool verify out --fix'],
  async run(call) {
    const { streams, signal, exitOf, paths, options } = call;
    const { config, print } = await prepare(call);
    return withMade(config, async (engine) => {
      // Listen now, because a signal can arrive while the display opens.
      call.hearSignals(engine.kill);
      const { createVerifyProgress, verifyJson, verifyText } = await import('../report/verify.ts');
      const style = await styleOf(streams.stderr, config);
      const progress = createVerifyProgress(isLive(config, style) ? { stream: streams.stderr, style } : null);
      // Standard output holds only the results of the check.
      const display = { ...config, json: false, quiet: config.quiet || config.json };
      const { jobs, memory, memoryCap } = config;
      const request = {
        ...{ ...scopeOf(paths, config.cwd), fix: options.fix === true, progress },
        ...{ dryRun: config.dryRun, keepEdited: config.keepEdited },
        machine: { jobs, memory, memoryCap, limits: givenLimits(config, flagsOf(options)) },
        timeout: config.limits.timeout,
        openReport: (outGiven: string) =>
          openReport({ ...display, outGiven }, streams, { command: 'verify', exitOf }),
      };
      try {
        const { verified, unfinished } = await engine.verify(request, signal);
        await print(verifyJson(verified), (shown) => verifyText(verified, shown));
        if (unfinished !== undefined) return unfinished;
        const failures = verified.remade?.values() ?? verified.wrong;
        return [...failures].some((failure) => failure !== null) ? 'problem' : 'ok';
      } finally {
        progress.close();
      }
    });
  },
};

/** A batch, or paths. The name of a folder such as 2024 or 20240315 can look like a batch or its first digits. */
function scopeOf(given: readonly string[], cwd: string) {
  const [first = '', ...more] = given;
  const isId = (more.length === 0 ? /^[0-9a-f]*$/ : /^[0-9a-f]{8}$/).test(first);
  const isBatch = first === 'last' || (isId && !existsSync(resolve(cwd, first)));
  if (!isBatch) return { paths: given, cwd };
  if (more.length === 0) return { batch: first, paths: [], cwd };
  throw new ImgtoolError('usage', `${first} is a batch, so no other argument can follow: ${more[0]}`, {
    fix: `name one batch, or only paths; a folder of the name ${first} is ./${first}`,
  });
}
