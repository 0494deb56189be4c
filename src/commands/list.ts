import { ImgtoolError } from '../errors.ts';
import { listJson } from '../report/json.ts';
import { listText } from '../report/tables.ts';
import { type Call, LOOKING, prepare, type Verb, withMade, withPast } from './verb.ts';

export const listVerb: Verb = {
  summary: 'list recent batches, newest first, or all outputs',
  description:
    'Lists recent batches, newest first. With --outputs, lists the recorded outputs instead, one absolute path a line:' +
    ' all, or those at and below paths and of the sources there.',
  settings: LOOKING,
  argument: ['[path...]', 'with --outputs: outputs, sources or folders of them'],
  options: [
    ['--limit <n>', 'most batches to list', '20'],
    ['--outputs', 'list recorded outputs'],
    ['-0, --nul', 'end each path with NUL, not with a newline'],
  ],
  examples: ['imgtool list', 'imgtool list --limit 50 --json', 'imgtool list --outputs photos'],
  async run(call) {
    const { options, paths } = call;
    if (options.outputs === true) return listOutputs(call);
    const stray = paths[0] ?? (options.nul === true ? '-0' : undefined);
    if (stray !== undefined) {
      throw new ImgtoolError('usage', `${stray}: imgtool list takes it only with --outputs`, {
        fix: `imgtool list --outputs ${stray}`,
      });
    }
    const { config, print } = await prepare(call);
    return withPast(config, async (past) => {
      const limit = String(options.limit);
      const most = Number(limit);
      if (!Number.isSafeInteger(most) || most < 1) {
        throw new ImgtoolError('usage', `--limit: expected a whole number from 1, got "${limit}"`, {
          fix: 'for example --limit 50',
        });
      }
      const found = await past.batches(most + 1);
      const batches = found.slice(0, most);
      const more = found.length > most ? most * 5 : undefined;
      await print(listJson(batches), (style) => listText(batches, style, Date.now(), more));
      return 'ok';
    });
  },
};

async function listOutputs(call: Call) {
  const { config } = await prepare(call);
  const { stdout } = call.streams;
  return withMade(config, async (engine) => {
    const { outputLine } = await import('../report/verify.ts');
    const drained = () => new Promise((resolve) => stdout.once('drain', resolve));
    const form = config.json ? 'json' : call.options.nul === true ? 'nul' : 'text';
    await engine.outputs(call.paths, config.cwd, async (record) => {
      if (!stdout.write(outputLine(record, form))) await drained();
    });
    return 'ok';
  });
}
