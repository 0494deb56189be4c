import { asImgtoolError, type ErrorCode, systemCode } from '../../errors.ts';
import type { Problem } from '../../model/verified.ts';
import type { Inspected, OutputRecord } from '../../model.ts';
import type { Renderer, Storage } from '../../ports.ts';

/** The ports that check outputs. */
export interface VerifyPorts {
  readonly storage: Storage;
  readonly renderer: Renderer;
  /** Milliseconds that decoding one output may take. */
  readonly timeout: number;
}

/** Most attempts to decode an output after errors that may pass. */
const ATTEMPTS = 3;

/** All problems of ONE output, from a missing file to metadata in it; empty when the output is correct. */
export async function problemsOf(ports: VerifyPorts, record: OutputRecord): Promise<Problem[]> {
  const { storage } = ports;
  try {
    const [found = null] = await storage.stat([record.path]);
    if (found === 'foreign') {
      return [{ problem: 'foreign', message: 'a folder, a link or a device is in its place' }];
    }
    const checksum = found === null ? null : await storage.checksum(record.path);
    if (found === null || checksum === null) return [MISSING];
    const isAsWritten = found.size === record.size && checksum === record.checksum;
    return [...(isAsWritten ? [] : [changed(found.size, record)]), ...(await problemsInside(ports, record))];
  } catch (error) {
    const { code, message, cause } = asImgtoolError(error);
    if (code === 'cancelled') throw error;
    if (code === 'source_missing') return [MISSING];
    return [{ problem: 'unreadable', message: `cannot be read (${systemCode(cause) ?? message})` }];
  }
}

/** The problems of the decoded picture. */
async function problemsInside(ports: VerifyPorts, record: OutputRecord): Promise<Problem[]> {
  try {
    const found = await inspected(ports, record.path);
    const [is, meant] = [found, record].map(({ format, width, height }) => `${format} of ${width}x${height}`);
    const problems: Problem[] = [];
    if (is !== meant) problems.push({ problem: 'different', message: `is a ${is}, not a ${meant}` });
    const names = found.metadata.join(', ');
    if (names !== '') problems.push({ problem: 'metadata', message: `carries ${names}` });
    return problems;
  } catch (error) {
    const { code, message } = asImgtoolError(error);
    if (!UNDECODABLE.has(code)) throw error;
    return [{ problem: 'undecodable', message }];
  }
}

const UNDECODABLE: ReadonlySet<ErrorCode> = new Set([
  'not_an_image',
  'unsupported_format',
  'corrupt',
  'too_large',
  'too_many_frames',
  'timeout',
  'worker_crashed',
  'out_of_memory',
]);

async function inspected({ renderer, timeout }: VerifyPorts, path: string): Promise<Inspected> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await renderer.inspect(path, timeout);
    } catch (error) {
      if (!asImgtoolError(error).retryable || attempt === ATTEMPTS) throw error;
    }
  }
}

const MISSING: Problem = { problem: 'missing', message: 'is not there' };

function changed(size: number, record: OutputRecord): Problem {
  const bytes = (n: number) => n.toLocaleString('en');
  const sizes = `has ${bytes(size)} bytes, not the ${bytes(record.size)} that were written`;
  return {
    problem: 'changed',
    message: size === record.size ? 'has other bytes than were written' : sizes,
  };
}
