import { dryRun } from '../core/batch/dry-run.ts';
import { profiled } from '../core/batch/means.ts';
import { type NewWork, type Ports, runBatch } from '../core/batch/run.ts';
import type { Event } from '../model.ts';

/** `imgtool process`: one batch over files and folders; the exit code. `profile`: also tells where the time went. */
export async function process(
  ports: Ports,
  work: NewWork,
  emit: (event: Event) => void,
  signal: AbortSignal,
  profile = false,
): Promise<number> {
  const means = await profiled({ ports, emit }, profile);
  const run = work.options.dryRun ? dryRun : runBatch;
  const { exit } = await run(means.ports, work, means.emit, signal);
  return exit;
}
