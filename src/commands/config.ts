import { configJson, configText } from '../report/tables.ts';
import { prepare, type Verb } from './verb.ts';

export const configVerb: Verb = {
  description: 'show each setting and where it came from',
  async run(call) {
    const { config, print } = await prepare(call);
    await print(configJson(config.origins), (style) => configText(config.origins, style));
    return 'ok';
  },
};
