import { configOf, engineOf, LOOKING, pagesFor, type Verb } from './verb.ts';

export const cancelVerb: Verb = {
  summary: 'stop a running batch, from any terminal',
  description:
    'Stops a batch in order: pictures in work finish, the rest is cancelled. Returns once it has ended.',
  settings: LOOKING,
  argument: ['<batch-id>', 'any unique beginning of its id'],
  async run(call) {
    const config = await configOf(call);
    const pages = await pagesFor(call, config);
    const engine = await engineOf(config);
    try {
      const { batch, was } = await engine.cancel(call.paths[0] ?? '');
      await pages.cancelled(batch, was);
      return 'ok';
    } finally {
      await engine.close();
    }
  },
};
