import { configOf, pagesFor, type Verb } from './verb.ts';

export const configVerb: Verb = {
  description: 'each setting and where it came from',
  async run(call) {
    const config = await configOf(call);
    await (await pagesFor(call, config)).config(config.origins);
    return 'ok';
  },
};
