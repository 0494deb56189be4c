import type { Looked, WrongOutput } from '../../model/verified.ts';
import type { Batch, OutputRecord } from '../../model.ts';
import type { Index, SourceProbe } from '../../ports.ts';
import { problemsOf, type VerifyPorts } from './output.ts';
import { outputsOf, recordsAt } from './records.ts';

/** The ports and options of a check. */
export interface Verifying extends VerifyPorts {
  readonly index: Index;
  readonly sources: SourceProbe;
  /** Outputs at a time. */
  readonly jobs: number;
  readonly progress: VerifyProgress;
}

/** Receives the progress of a check. */
export interface VerifyProgress {
  told(verified: number, wrong: number): void;
  /** May be called twice. */
  close(): void;
}

/**
 * Checks all outputs of a batch, or all outputs, and changes nothing. Ends early when `signal` aborts. Keeps only wrong
 * outputs in memory. Errors: those of the index.
 */
export async function verify(
  verifying: Verifying,
  batch: Batch | undefined,
  signal: AbortSignal,
): Promise<Looked> {
  const { index } = verifying;
  const records = batch === undefined ? index.outputs() : outputsOf(index, batch);
  const { verified, wrong } = await checkAll(verifying, records, signal);
  const still = signal.aborted ? wrong : await lookAgain(verifying, wrong, signal);
  verifying.progress.close();
  return { batch: batch?.id ?? null, verified, wrong: still, isStopped: signal.aborted };
}

/** Checks wrong outputs again by their current records: a run may have replaced them in the meantime. */
export async function lookAgain(
  verifying: Verifying,
  wrong: readonly WrongOutput[],
  signal: AbortSignal,
): Promise<readonly WrongOutput[]> {
  const paths = wrong.map(({ record }) => record.path);
  const records = recordsAt(verifying.index, paths);
  return (await checkAll({ ...verifying, progress: SILENT }, records, signal)).wrong;
}

async function checkAll(
  { jobs, progress, ...ports }: Verifying,
  records: AsyncIterable<OutputRecord>,
  signal: AbortSignal,
): Promise<{ readonly verified: number; readonly wrong: readonly WrongOutput[] }> {
  const wrong: WrongOutput[] = [];
  let verified = 0;
  // All workers take their records from the same stream. A worker that leaves the loop ends the stream.
  const stream = records[Symbol.asyncIterator]();
  const worker = async () => {
    for await (const record of { [Symbol.asyncIterator]: () => stream }) {
      if (signal.aborted) break;
      const problems = await problemsOf(ports, record);
      verified++;
      if (problems.length > 0) wrong.push({ record, problems });
      progress.told(verified, wrong.length);
    }
  };
  // Nothing is written, so all decoding can stop at once.
  const onAbort = () => ports.renderer.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  const ends = await Promise.allSettled(Array.from({ length: jobs }, worker));
  signal.removeEventListener('abort', onAbort);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined && !signal.aborted) throw failed.reason;
  return { verified, wrong: wrong.sort(byPath) };
}

const SILENT: VerifyProgress = { told() {}, close() {} };

function byPath({ record: a }: WrongOutput, { record: b }: WrongOutput): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
