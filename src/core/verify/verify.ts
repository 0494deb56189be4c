import { asImgtoolError, hasTrait } from '../../errors.ts';
import type { Looked, Problem, WrongOutput } from '../../model/verified.ts';
import type { Batch, BatchOptions, FileFacts, Inspected, OutputRecord } from '../../model.ts';
import type { Index, Renderer, SourceProbe, Storage } from '../../ports.ts';
import { type Named, outputsNamed } from './named.ts';
import { outputsOf, recordsAt } from './records.ts';

/** The ports and options of a check. */
export interface Verifying {
  readonly index: Index;
  readonly storage: Storage;
  readonly sources: SourceProbe;
  readonly renderer: Renderer;
  /** `jobs`: outputs at a time. */
  readonly machine: Pick<BatchOptions, 'jobs'>;
  /** Milliseconds that decoding one output may take. */
  readonly timeout: number;
  readonly progress?: VerifyProgress | undefined;
  /** Path of the index, if it is not the usual one: then a command that is suggested must name it. */
  readonly otherIndex?: string | undefined;
}

/** Receives the progress of a check. */
export interface VerifyProgress {
  report(verified: number, wrong: number): void;
  /** May be called twice. */
  close(): void;
}

/** What is checked: the outputs of a batch, or those at paths, or all. */
export interface Scope {
  readonly batch?: Batch | undefined;
  readonly named?: readonly Named[];
  /** Whether a repair leaves outputs that somebody may have edited. Without a batch and names it always does. */
  readonly keepEdited?: boolean;
  /** Whether a setting asks for a dry run. */
  readonly dryRun?: boolean;
}

/**
 * Checks outputs, changes nothing, and holds only wrong ones in memory. Ends early on abort. Errors: of the index;
 * `no_input`.
 */
export async function verify(ports: Verifying, { batch, named = [] }: Scope, signal: AbortSignal) {
  const { index } = ports;
  const records = batch === undefined ? outputsNamed(index, named) : outputsOf(index, batch);
  const { verified, wrong } = await checkAll(ports, records, signal);
  const still = signal.aborted ? wrong : await lookAgain(ports, wrong, signal);
  ports.progress?.close();
  const looked: Looked = { batch: batch?.id ?? null, verified, wrong: still, isStopped: signal.aborted };
  return looked;
}

/** Checks wrong outputs again by their current records: a run may have replaced them in the meantime. */
export async function lookAgain(ports: Verifying, wrong: readonly WrongOutput[], signal: AbortSignal) {
  const files = new Map(wrong.map(({ record, file }) => [record.path, file]));
  const records = recordsAt(ports.index, [...files.keys()]);
  const { wrong: still } = await checkAll({ ...ports, progress: undefined }, records, signal);
  // A file that has come since then is not the one that was found wrong.
  return still.map(({ file: _, ...one }) => withFile(one, files.get(one.record.path)));
}

const withFile = (one: Omit<WrongOutput, 'file'>, file: FileFacts | undefined): WrongOutput =>
  file === undefined ? one : { ...one, file };

async function checkAll(ports: Verifying, records: AsyncIterable<OutputRecord>, signal: AbortSignal) {
  const wrong: WrongOutput[] = [];
  let verified = 0;
  // All workers take their records from the same stream. A worker that leaves the loop ends the stream.
  const stream = records[Symbol.asyncIterator]();
  const worker = async () => {
    for await (const record of { [Symbol.asyncIterator]: () => stream }) {
      if (signal.aborted) break;
      const { file, ...found } = await problemsOf(ports, record);
      verified++;
      if (found.problems.length > 0) wrong.push(withFile({ record, ...found }, file));
      ports.progress?.report(verified, wrong.length);
    }
  };
  // Nothing is written, so all decoding can stop at once.
  const onAbort = () => ports.renderer.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  const ends = await Promise.allSettled(Array.from({ length: ports.machine.jobs }, worker));
  signal.removeEventListener('abort', onAbort);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined && !signal.aborted) throw failed.reason;
  return { verified, wrong: wrong.sort(byPath) };
}

function byPath({ record: a }: WrongOutput, { record: b }: WrongOutput): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}

/** Most attempts to decode an output after errors that may pass. */
const ATTEMPTS = 3;

/**
 * All problems of ONE output, from a missing file to metadata in it; empty when the output is correct. `file` is from before
 * the file was read.
 */
async function problemsOf(ports: Verifying, record: OutputRecord) {
  let file: FileFacts | undefined;
  let isBroken = false;
  const all = (...problems: Problem[]) => ({ problems, file, isBroken });
  try {
    const [found = null] = await ports.storage.stat([record.path]);
    if (found === 'foreign') {
      return all({ problem: 'foreign', message: 'a folder, a link or a device is in its place' });
    }
    if (found === null) return all(MISSING);
    file = found;
    const inside = await problemsInside(ports, record);
    if (inside.checksum === null) return all(MISSING);
    isBroken = inside.isBroken;
    const isAsWritten = found.size === record.size && inside.checksum === record.checksum;
    return all(...(isAsWritten ? [] : [changed(found.size, record)]), ...inside.problems);
  } catch (error) {
    const { code, message } = asImgtoolError(error);
    if (code === 'cancelled') throw error;
    if (code === 'source_missing') return all(MISSING);
    const [, why = message] = /\((E[A-Z]+)\)$/.exec(message) ?? [];
    return all({ problem: 'unreadable', message: `cannot be read (${why})` });
  }
}

/** The problems of the decoded picture, and the checksum of its bytes, all from one read. */
async function problemsInside(ports: Verifying, record: OutputRecord) {
  try {
    const found = await inspected(ports, record.path);
    const [is, meant] = [found, record].map(({ format, width, height }) => `${format} of ${width}x${height}`);
    const problems: Problem[] = [];
    if (is !== meant) problems.push({ problem: 'different', message: `is a ${is}, not a ${meant}` });
    problems.push(...metadataProblems(found, record.metadata));
    return { checksum: found.checksum, problems, isBroken: false };
  } catch (error) {
    const { code, message } = asImgtoolError(error);
    if (!hasTrait(code, 'undecodable')) throw error;
    const problems: Problem[] = [{ problem: 'undecodable', message }];
    const isBroken = hasTrait(code, 'broken');
    return { checksum: await ports.storage.checksum(record.path), problems, isBroken };
  }
}

async function inspected({ renderer, timeout }: Verifying, path: string): Promise<Inspected> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await renderer.inspect(path, timeout);
    } catch (error) {
      if (!asImgtoolError(error).retryable || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Compares the metadata in an output with the record of what was written into it. */
function metadataProblems(found: Inspected, recorded: string | null): Problem[] {
  const written = writtenIn(recorded);
  const more = found.metadata.filter((name) => written[name] === undefined);
  const names = Object.keys(written);
  const other = names.filter((name) => isThere(found, name) && found.digests[name] !== written[name]);
  const less = names.filter((name) => !isThere(found, name));
  const said = [
    ...(more.length === 0 ? [] : [`carries ${more.join(', ')}`]),
    ...(other.length === 0 ? [] : [`carries other ${other.join(', ')} than was written`]),
    ...(less.length === 0 ? [] : [`lacks ${less.join(', ')}, which was written`]),
  ];
  return said.length === 0 ? [] : [{ problem: 'metadata', message: said.join(', ') }];
}

const isThere = ({ metadata }: Inspected, name: string): boolean => metadata.includes(name);

/** The digests of what was written, by name. */
function writtenIn(recorded: string | null): Readonly<Record<string, string>> {
  if (recorded === null) return {};
  const { blocks } = JSON.parse(recorded) as { readonly blocks: Readonly<Record<string, string>> };
  return blocks;
}

const MISSING: Problem = { problem: 'missing', message: 'is not there' };

function changed(size: number, record: OutputRecord): Problem {
  const bytes = (n: number) => n.toLocaleString('en');
  const sizes = `has ${bytes(size)} byte${size === 1 ? '' : 's'}, not the ${bytes(record.size)} that were written`;
  return {
    problem: 'changed',
    message: size === record.size ? 'has other bytes than were written' : sizes,
  };
}
