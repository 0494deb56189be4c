import { statusJson } from '../report/json.ts';
import { cancelledText } from '../report/status.ts';
import { BATCH_ID, LOOKING, prepare, type Verb, withMade } from './verb.ts';

export const cancelVerb: Verb = {
  summary: 'stop a running batch, from any terminal',
  description:
    'Stops a batch: images that are being processed finish, the others are cancelled. Returns when the batch has ended.',
  settings: LOOKING,
  argument: BATCH_ID,
  async run(call) {
    const { config, print } = await prepare(call);
    return withMade(config, async (engine) => {
      const { batch, was, other } = await engine.cancel(call.paths[0] ?? '');
      await print(statusJson(batch, []), (style) => cancelledText(batch, was, style, other));
      return 'ok';
    });
  },
};
