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
      if (!Number.isSafeInteger(most) || most < 1) {
        throw new ImgtoolError('usage', `--limit: expected a whole number from 1, got "${limit}"`, {
          fix: 'for example --limit 50',
        });
      }
      const found = await past.batches(most + 1);
      const batches = found.slice(0, most);
      const more = found.length > most ? most * 5 : undefined;
      await print(listJson(batches), (style) => listText(batches, style, Date.now(), more));
      return 'ok';
    });
  },
};
