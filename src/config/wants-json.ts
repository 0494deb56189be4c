import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { yesOrNo } from '../variants/values.ts';
import { readFiles } from './files.ts';
import { absolute } from './places.ts';

/**
 * Whether the arguments, the environment or a file ask for JSON. Unlike `loadConfig`, it has an answer also for wrong
 * arguments and settings: it says how the error about them is shown.
 */
export async function wantsJson(args: readonly string[], env = process.env): Promise<boolean> {
  const given = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const flag = given.findLast((one) => one === '--json' || one === '--no-json');
  if (flag !== undefined) return flag === '--json';
  if (env.IMGTOOL_JSON) return yesOrNo.parse(env.IMGTOOL_JSON) === true;
  try {
    const files = await readFiles(fileIn(given), process.cwd(), surroundings(env));
    return files.map(({ values }) => yesOrNo.parse(values.json)).find((json) => json !== undefined) === true;
  } catch {
    return false;
  }
}

const surroundings = (env: NodeJS.ProcessEnv) => ({ env, home: homedir(), platform: process.platform });

/** The file of `--config`; false for `--no-config`, and for a pipe, which can be read only once. */
function fileIn(given: readonly string[]): string | false | undefined {
  const at = given.findLastIndex((one) => /^--(no-)?config(=|$)/.test(one));
  if (at < 0) return undefined;
  const file = given[at]?.startsWith('--config=') ? given[at].slice('--config='.length) : given[at + 1];
  if (given[at] === '--no-config' || file === undefined) return false;
  return statSync(absolute(file, process.cwd(), homedir())).isFile() && file;
}
