import { presetsJson, presetsText } from '../report/tables.ts';
import { cellsOf } from '../variants/written.ts';
import { LOOKING, prepare, type Verb } from './verb.ts';

export const presetsVerb: Verb = {
  description: 'list the presets and their variants, also your own presets',
  settings: LOOKING,
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
