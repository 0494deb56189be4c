import { configJson, configText, presetsJson, presetsText } from '../report/tables.ts';
import { cellsOf } from '../variants/written.ts';
import { LOOKING, prepare, type Verb } from './verb.ts';

export const configVerb: Verb = {
  description: 'show each setting and where it came from',
  examples: ['imgtool config', 'imgtool config --preset archive --json'],
  async run(call) {
    const { config, print } = await prepare(call);
    await print(configJson(config.origins), (style) => configText(config.origins, style));
    return 'ok';
  },
};

export const presetsVerb: Verb = {
  description: 'list the presets and their variants, also your own presets',
  settings: LOOKING,
  examples: ['imgtool presets', 'imgtool presets --json'],
  async run(call) {
    const { config, print } = await prepare(call);
    const own = new Map(config.origins.map(({ key, origin }) => [key, origin]));
    const presets = config.presets.map((preset) => ({
      ...preset,
      origin: own.get(`presets.${preset.name}`) ?? 'built in',
      cells: preset.variants.map(cellsOf),
    }));
    await print(presetsJson(presets), (style) => presetsText(presets, style));
    return 'ok';
  },
};
