import { ImgtoolError } from '../errors.ts';
import { listJson } from '../report/json.ts';
import { listText } from '../report/tables.ts';
import { LOOKING, prepare, type Verb, withPast } from './verb.ts';

export const listVerb: Verb = {
  description: 'list recent batches, newest first',
  settings: LOOKING,
  options: [['--limit <n>', 'most batches to list', '20']],
  examples: ['imgtool list', 'imgtool list --limit 50 --json'],
  async run(call) {
    const { config, print } = await prepare(call);
    return withPast(config, async (past) => {
      const limit = String(call.options.limit);
      const most = Number(limit);
      if (!Number.isInteger(most) || most < 1) {
        throw new ImgtoolError('usage', `--limit: expected a whole number from 1, got "${limit}"`);
      }
      const batches = await past.batches(most);
      await print(listJson(batches), (style) => listText(batches, style, Date.now(), most));
      return 'ok';
    });
  },
};
