import { readFileSync } from 'node:fs';
import { endAsTold, exitWith, hearStreams, streams } from './cli/ending.ts';
import { keepCompiled } from './config/compiled.ts';
import { asImgtoolError } from './errors.ts';

hearStreams();
main();

async function main(): Promise<void> {
  // Asked by scripts on every start, and answered without anything else being loaded.
  if (['--version', '-V'].includes(process.argv[2] ?? '')) {
    streams.stdout.write(`${version()}\n`);
    return;
  }
  keepCompiled();
  // Read while the arguments are; should that fail it does so again where it is waited for.
  readAhead(process.argv[2]).catch(() => {});
  try {
    const { run } = await import('./cli/program.ts');
    if ((await run(process.argv, version())) === 'told') return;
  } catch (error) {
    const failure = asImgtoolError(error);
    const [{ environment }, { showError }] = await Promise.all([
      import('./config.ts'),
      import('./open/failure.ts'),
    ]);
    const { look, debug } = environment();
    await showError(failure, streams.stderr, look, debug);
    exitWith(failure.exitCode);
  }
  endAsTold();
}

function readAhead(command: string | undefined): Promise<unknown> {
  const looks = command === undefined || command.startsWith('-') || ['list', 'status'].includes(command);
  return looks ? Promise.resolve() : import('./cli/runs.ts');
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
