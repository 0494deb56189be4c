import { configJson, configText } from '../report/settings.ts';
import { configOf, printFor, type Verb } from './verb.ts';

export const configVerb: Verb = {
  description: 'show each setting and where it came from',
  async run(call) {
    const config = await configOf(call);
    const print = await printFor(call, config);
    await print(configJson(config.origins), (style) => configText(config.origins, style));
    return 'ok';
  },
};
