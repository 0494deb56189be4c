import { ImgtoolError } from '../errors.ts';
import { LOOKING, prepare, type Verb, withMade } from './verb.ts';

export const forgetVerb: Verb = {
  summary: 'remove the records of outputs and sources that are gone for good',
  description:
    'Removes outputs and sources from the index that do not exist any more. Folders stand for all that was below them.' +
    ' Touches no file: what still exists stays recorded. Exits with 1 if there was nothing to forget.',
  settings: LOOKING,
  argument: ['[path...]', 'outputs, sources, or folders of them'],
  options: [['-n, --dry-run', 'show the records, and remove none']],
  examples: ['imgtool forget photos/wine.jpg --dry-run'],
  async run(call) {
    const { config, print } = await prepare(call);
    const { paths } = call;
    if (paths.length === 0) {
      throw new ImgtoolError('usage', 'nothing to forget: no path was named', {
        fix: 'imgtool forget <path…>; imgtool verify lists the outputs that are missing',
      });
    }
    return withMade(config, async (engine) => {
      const forgotten = await engine.forget(paths, config.cwd, config.dryRun);
      const { forgottenText } = await import('../report/verify.ts');
      await print({ v: 1, ...forgotten }, (style) => forgottenText(forgotten, style));
      return forgotten.outputs.length + forgotten.sources.length > 0 ? 'ok' : 'problem';
    });
  },
};
