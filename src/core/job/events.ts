import type { JobEvent, Unstamped, Warning } from '../../model/events.ts';
import { askedPages, type RenderedOutput } from '../../model/picture.ts';
import type { BatchOptions, Job, Output, OutputRecord, SourceRecord, Variant } from '../../model.ts';
import type { Settlement } from '../../ports.ts';
import { isAnimation, MOVING, MOVING_RECIPE } from '../../variants/formats.ts';
import { pathAsGiven } from '../batch/names.ts';
import type { JobContext } from './context.ts';
import type { Step } from './decide.ts';

/** The times of a job of which no step was measured. */
export const NO_TIME = { digest: 0, decode: 0, encode: 0, commit: 0, total: 0 };

/** An output as `status` shows it, under its absolute path. */
export function described(output: OutputRecord, wanted: Variant, source: SourceRecord | undefined): Output {
  const { variant, format, path, width, height, size } = output;
  const plain: Output = { variant, format, path, width, height, bytes: size };
  const isMoving = source !== undefined && moves(wanted, source) && (output.recipe ?? 1) >= MOVING_RECIPE;
  return isMoving ? Object.assign(plain, { pages: source.pages ?? 1 }) : plain;
}

/** Whether an output of this source has all its frames. */
const moves = ({ format, animated = 'all' }: Variant, source: SourceRecord): boolean =>
  animated === 'all' && MOVING.has(format) && isAnimation(source);

/** The mark of a source with several frames or pages of which some output has only the first. */
export function firstOnly({ pages }: SourceRecord, outputs: readonly Pick<Output, 'pages'>[]) {
  const isPart = pages !== null && pages > 1 && outputs.some((output) => output.pages === undefined);
  return isPart ? { firstOnly: true as const } : undefined;
}

/** The same before anything is rendered. */
export function firstOnlyOf(source: SourceRecord, variants: readonly Variant[]) {
  const pages = source.pages ?? 1;
  return firstOnly(
    source,
    variants.map((variant) => (moves(variant, source) ? { pages } : {})),
  );
}

/** The event of a job that ended with this settlement. `actions`: what was done for each of its outputs. */
export function jobEvent(
  job: Job,
  settlement: Settlement,
  context: JobContext,
  actions: readonly Output['action'][] = [],
): Unstamped<JobEvent> {
  const { state, source, duplicateOf, reused, error, ms } = settlement;
  const outputs = settlement.outputs.map((output, i) => outputAsGiven(output, context.options, actions[i]));
  return {
    type: 'job',
    job: job.id,
    source: job.given,
    state,
    ...(source && { ...pictureOf(source, context.options), ...firstOnly(source, outputs), outputs }),
    ...(duplicateOf === undefined ? {} : { duplicateOf: context.sources.givenOf(duplicateOf) }),
    ...(reused ? { reused: true as const } : {}),
    ...(job.naming > 0 && source !== undefined ? { tagged: true as const } : {}),
    ...(error === undefined ? {} : { error }),
    ...(settlement.skipped.length > 0 ? { borrowed: true as const } : {}),
    ...(ms === undefined ? {} : { ms }),
    attempts: job.attempts + 1,
  };
}

/** The fields of a job's event that come from its source. `Object.assign` takes half the time of a spread. */
export function pictureOf(source: SourceRecord, options: BatchOptions) {
  const { digest, size, width, height, dominantColor, degraded } = source;
  const known = { digest, bytes: size, width, height };
  return Object.assign(
    known,
    kindOf(source, options),
    dominantColor === null ? undefined : { dominantColor },
    degraded ? { degraded } : undefined,
  );
}

/** Format of a source, and if it has several frames or pages, their number and which pages are rendered. */
export function kindOf({ format, pages }: SourceRecord, { preset }: BatchOptions) {
  if (pages === null || pages <= 1) return { format };
  const renderedPages = askedPages(preset.variants);
  return renderedPages.join() === '1' ? { format, pages } : { format, pages, renderedPages };
}

/** An output under the path that a user would write, and what was done for it. */
export function outputAsGiven(output: Output, options: BatchOptions, action?: Output['action']): Output {
  const { variant, format, path, width, height, bytes, pages, edited } = output;
  const given: Output = { variant, format, path: pathAsGiven(path, options), width, height, bytes };
  if (pages !== undefined) Object.assign(given, { pages });
  if (edited !== undefined) Object.assign(given, { edited });
  return action === undefined ? given : Object.assign(given, { action });
}

/** The warnings about outputs that somebody has edited: those that are replaced, or would be, and those that stay. */
export function editWarnings(
  replaced: readonly string[],
  steps: readonly Step[],
  options: BatchOptions,
  isDryRun = false,
): Warning[] {
  const warning = (path: string, happens: string, fix: string): Warning => {
    const message = `${pathAsGiven(path, options)}: was changed since imgtool made it, so it ${happens}`;
    return { type: 'warning', message, fix };
  };
  const left = steps.filter(({ kind }) => kind === 'leave');
  return [
    ...replaced.map((path) =>
      warning(
        path,
        `${isDryRun ? 'would be' : 'was'} made again`,
        'keep edited pictures in another folder, or use {{keepEdited}}',
      ),
    ),
    ...left.map(({ wanted: { path } }) =>
      warning(path, isDryRun ? 'would stay' : 'stays', 'to make it again, use {{keepEdited false}}'),
    ),
  ];
}

/** The warning that files were replaced, or would be, that the index does not know. The paths are those of one image. */
export function wasReplaced(paths: readonly string[], isDryRun = false): Warning {
  const [was, they] = paths.length === 1 ? ['was', 'it'] : ['were', 'them'];
  const replaced = isDryRun ? 'would be replaced' : `${was} replaced`;
  return {
    type: 'warning',
    message: `${paths.join(', ')}: ${replaced}, and as far as the index knows, imgtool did not make ${they}`,
    fix: 'leave out {{force}} to keep such files',
  };
}

/** The warning that an output is smaller than its variant asks for; otherwise undefined. */
export function scaledDown(job: Job, variant: Variant, output: RenderedOutput): Warning | undefined {
  const { asked, width, height } = output;
  if (asked === undefined) return undefined;
  const [wanted, made] = [asked, { width, height }].map((size) =>
    [size.width, size.height].map((side) => side.toLocaleString('en')).join(' x '),
  );
  return {
    type: 'warning',
    message: `${job.given}: variant ${variant.name} is ${made} px instead of ${wanted} px, which ${variant.format} cannot hold`,
    fix: 'give the variant a smaller width or a height, or another format',
  };
}
