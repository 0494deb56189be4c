import type { Config } from '../config.ts';
import type { Preset } from '../model.ts';

/** `imgtool presets`: built-in ones and the user's own, each with where it comes from. */
export function presets({ presets: all, origins }: Config): (Preset & { origin: string })[] {
  const own = new Map(origins.map(({ key, origin }) => [key, origin]));
  return all.map((preset) => ({ ...preset, origin: own.get(`presets.${preset.name}`) ?? 'built in' }));
}
