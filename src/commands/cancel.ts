import { statusJson } from '../report/json.ts';
import { cancelledText } from '../report/status.ts';
import { BATCH_ID, LOOKING, prepare, type Verb, withEngine } from './verb.ts';

export const cancelVerb: Verb = {
  summary: 'stop a running batch, from any terminal',
  description:
    'Stops a batch in order: pictures in work finish, the rest is cancelled. Returns once it has ended.',
  settings: LOOKING,
  argument: BATCH_ID,
  async run(call) {
    const { config, print } = await prepare(call);
    return withEngine(config, async (engine) => {
      const { batch, was } = await engine.cancel(call.paths[0] ?? '');
      await print(statusJson(batch, []), (style) => cancelledText(batch, was, style));
      return 'ok';
    });
  },
};
