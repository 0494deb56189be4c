import { flagsOf, hintAsFlags, nearest } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import { changeUploads, findUploads } from '../history.ts';
import { statusJson } from '../report/json.ts';
import { cancelledText, retriedText } from '../report/status.ts';
import type { Call, prepare } from './verb.ts';

/** Limits that a command line can change for its own batches. The service has limits of its own. */
const LIMITS = ['jobs', 'memory', 'limitPixels', 'allowSvg', 'lenient', 'timeout'] as const;

/**
 * Cancels or retries a batch of the service, whether the service runs or not. Returns false if the batch is another one.
 * Errors: `unknown_batch`; `usage` for what only the service can do.
 */
export async function changeIfUpload(
  how: 'cancel' | 'resume' | 'retry',
  { paths, options }: Call,
  { config: { index }, print }: Awaited<ReturnType<typeof prepare>>,
): Promise<boolean> {
  const found = await findUploads(index, paths[0] ?? '', nearest);
  if (found === undefined) return false;
  if (how === 'resume') {
    const fix = `start imgtool serve, which goes on with it; for failed images: imgtool retry ${found.id}`;
    throw new ImgtoolError('usage', `batch ${found.id} is one of the service`, { fix });
  }
  const flags = flagsOf(options);
  const limit = how === 'retry' ? LIMITS.find((key) => flags[key] !== undefined) : undefined;
  if (limit !== undefined) {
    const fix = `leave it out, or start imgtool serve with {{${limit}}}`;
    const message = `${hintAsFlags(`{{${limit}}}`)}: batch ${found.id} is one of the service, which has its own limits`;
    throw new ImgtoolError('usage', message, { fix: hintAsFlags(fix) });
  }
  const { batch, images } = await changeUploads(index, found.id, how);
  await print(statusJson(batch, []), (style) =>
    how === 'retry'
      ? retriedText(batch, images, style)
      : cancelledText(batch, images > 0 ? 'running' : 'ended', style),
  );
  return true;
}
