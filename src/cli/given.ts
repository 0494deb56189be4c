import { type Config, flagsOf, loadConfig } from '../config.ts';
import { openPages } from '../open/pages.ts';
import { streams } from './ending.ts';

/** What commander parsed. */
export type Options = Record<string, unknown>;

export function configOf(options: Options): Promise<Config> {
  return loadConfig({ flags: flagsOf(options), cwd: process.cwd() });
}

/** The settings, and where what was looked up is printed. */
export async function openFor(options: Options) {
  const config = await configOf(options);
  return { config, pages: await openPages(config, streams) };
}
