import { hintAsFlags, nearest } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import { configOf, LOOKING, pagesFor, type Verb } from './verb.ts';

export const listVerb: Verb = {
  description: 'recent batches, newest first',
  settings: LOOKING,
  options: [['--limit <n>', 'how many', '20']],
  async run(call) {
    const config = await configOf(call);
    const pages = await pagesFor(call, config);
    const { openHistory } = await import('../history.ts');
    const past = await openHistory(config.index, nearest, hintAsFlags);
    try {
      const limit = String(call.options.limit);
      const most = Number(limit);
      if (!Number.isInteger(most) || most < 1) {
        throw new ImgtoolError('usage', `--limit: expected a whole number from 1, got "${limit}"`);
      }
      await pages.list(await past.batches(most), most);
      return 'ok';
    } finally {
      await past.close();
    }
  },
};
