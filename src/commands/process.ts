import { type NewWork, type Ports, runBatch } from '../core/batch.ts';
import { dryRun } from '../core/dry-run.ts';
import type { Event } from '../model.ts';

/** `imgtool process`: one batch over files and folders; the exit code. */
export async function process(
  ports: Ports,
  work: NewWork,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<number> {
  const run = work.options.dryRun ? dryRun : runBatch;
  const { exit } = await run(ports, work, emit, signal);
  return exit;
}
