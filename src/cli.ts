import { readFileSync } from 'node:fs';
import {
  endBySignal,
  exitOfBatch,
  exitOfError,
  exitWith,
  hearStreams,
  stopped,
  streams,
} from './cli/exit.ts';
import { keepCompiled } from './config/compiled.ts';
import { asImgtoolError, type ImgtoolError } from './errors.ts';

hearStreams();
main();

async function main(): Promise<void> {
  // Scripts often ask for the version, so load nothing else.
  if (['--version', '-V'].includes(process.argv[2] ?? '')) {
    streams.stdout.write(`${version()}\n`);
    return;
  }
  keepCompiled();
  try {
    const { run } = await import('./cli/program.ts');
    const outcome = await run(process.argv, version());
    if (outcome === 'shown') return;
    if (outcome === 'problem') exitWith(1);
    else if (outcome !== 'ok') exitWith(exitOfBatch(outcome, stopped.reason));
  } catch (error) {
    await showError(asImgtoolError(error));
  }
  endBySignal();
}

/** Shows the error that ended the command. Adds its stack if DEBUG asks for it. */
async function showError(error: ImgtoolError): Promise<void> {
  const { environment, hintAsFlags, wantsJson } = await import('./config.ts');
  const { errorJson, oneLine } = await import('./report/json.ts');
  const { errorText, styleOf } = await import('./report/open.ts');
  const { look, debug } = environment();
  const { message, cause, code, stack } = error;
  const fix = error.fix && hintAsFlags(error.fix);
  const why = cause instanceof Error && !message.includes(cause.message) ? cause.message : undefined;
  const style = await styleOf(streams.stderr, { color: 'auto', look });
  streams.stderr.write(errorText({ message, cause: why, fix }, style));
  if (await wantsJson(process.argv.slice(2))) {
    const document = errorJson({ code, message, cause: why, fix }, exitOfError(code));
    streams.stdout.write(`${oneLine(document)}\n`);
  }
  if (debug) streams.stderr.write(`${stack ?? ''}\n`);
  exitWith(exitOfError(code));
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
