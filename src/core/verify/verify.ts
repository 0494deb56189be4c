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

/** Checks outputs and changes nothing. Holds only wrong outputs in memory. Ends early on abort. Errors: index. */
export async function verify(
  ports: Verifying,
  batch: Batch | undefined,
  signal: AbortSignal,
): Promise<Looked> {
  const { index } = ports;
  const records = batch === undefined ? index.outputs() : outputsOf(index, batch);
  const { verified, wrong } = await checkAll(ports, records, signal);
  const still = signal.aborted ? wrong : await lookAgain(ports, wrong, signal);
  ports.progress.close();
  return { batch: batch?.id ?? null, verified, wrong: still, isStopped: signal.aborted };
}

/** Checks wrong outputs again by their current records: a run may have replaced them in the meantime. */
export async function lookAgain(ports: Verifying, wrong: readonly WrongOutput[], signal: AbortSignal) {
  const paths = wrong.map(({ record }) => record.path);
  const records = recordsAt(ports.index, paths);
  return (await checkAll({ ...ports, progress: SILENT }, records, signal)).wrong;
}

async function checkAll(ports: Verifying, records: AsyncIterable<OutputRecord>, signal: AbortSignal) {
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
      ports.progress.told(verified, wrong.length);
    }
  };
  // Nothing is written, so all decoding can stop at once.
  const onAbort = () => ports.renderer.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  const ends = await Promise.allSettled(Array.from({ length: ports.jobs }, worker));
  signal.removeEventListener('abort', onAbort);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined && !signal.aborted) throw failed.reason;
  return { verified, wrong: wrong.sort(byPath) };
}

const SILENT: VerifyProgress = { told() {}, close() {} };

function byPath({ record: a }: WrongOutput, { record: b }: WrongOutput): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
