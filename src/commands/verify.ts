import { flagsOf, givenLimits } from '../config.ts';
import { isLive, openReport, styleOf } from '../report/open.ts';
import { prepare, type Verb, WORKING, withEngine } from './verb.ts';

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
    const { config, print } = await prepare(call);
    return withEngine(config, async (engine) => {
      // Listen now, because a signal can arrive while the display opens.
      call.hearSignals(engine.kill);
      const { createVerifyProgress, verifyJson, verifyText } = await import('../report/verify.ts');
      const style = await styleOf(streams.stderr, config);
      const progress = createVerifyProgress(isLive(config, style) ? { stream: streams.stderr, style } : null);
      // Standard output holds only the results of the check.
      const display = { ...config, json: false, quiet: config.quiet || config.json };
      const request = {
        ...{ batch: paths[0], fix: options.fix === true, machine: config, progress },
        limits: givenLimits(config, flagsOf(options)),
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
