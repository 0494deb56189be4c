import { flagsOf, givenLimits } from '../config.ts';
import { configOf, engineOf, pagesFor, type Verb, WORKING } from './verb.ts';

export const verifyVerb: Verb = {
  summary: 'whether outputs are there, whole, as recorded and without metadata',
  description:
    'Reads and decodes every output, or those of one batch; exits 1 when one is missing, was altered or edited,' +
    ' cannot be decoded or carries metadata. What --fix replaces cannot be had back.',
  settings: WORKING,
  argument: ['[batch-id]', 'any unique beginning of its id; all outputs unless given'],
  options: [['--fix', 'make those that are not in order again, edited ones too']],
  async run(call) {
    const { streams, signal, exitOf, paths, options } = call;
    const config = await configOf(call);
    const { jobs, memory, memoryCap, quiet, json } = config;
    const pages = await pagesFor(call, config);
    const engine = await engineOf(config);
    // Listen now, because a signal can arrive while the display opens.
    call.hearSignals(engine.kill);
    const [{ isLive, openReport, styleOf }, { createVerifyProgress }] = await Promise.all([
      import('../report/open.ts'),
      import('../report/verify.ts'),
    ]);
    const style = await styleOf(streams.stderr, config);
    const progress = createVerifyProgress(isLive(config, style) ? { stream: streams.stderr, style } : null);
    try {
      const { verified, unfinished } = await engine.verify(
        {
          ...{ batch: paths[0], fix: options.fix === true, machine: { jobs, memory, memoryCap }, progress },
          limits: givenLimits(config, flagsOf(options)),
          timeout: config.limits.timeout,
          // Standard output holds only the results of the check.
          openReport: (outGiven) =>
            openReport({ ...config, json: false, quiet: quiet || json, outGiven }, streams, {
              command: 'verify',
              exitOf,
            }),
        },
        signal,
      );
      await pages.verified(verified);
      if (unfinished !== undefined) return unfinished;
      const { wrong, remade } = verified;
      const isWrong =
        remade === undefined ? wrong.length > 0 : [...remade.values()].some((failure) => failure !== null);
      return isWrong ? 'problem' : 'ok';
    } finally {
      progress.close();
      await engine.close();
    }
  },
};
