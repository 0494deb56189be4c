import { withoutName } from '../model/failures.ts';
import { SURPRISING } from '../model/jobs.ts';
import { type BatchTotals, doneOf, totalOf } from '../model/totals.ts';
import type {
  Aside,
  Batch,
  BatchFinished,
  BatchStarted,
  Counts,
  EndedState,
  Event,
  Failure,
  JobEvent,
  JobRetrying,
  Output,
  PassedOver,
  PassedOverEvent,
} from '../model.ts';
import { ENDED_STATES } from '../model.ts';
import { bytes, change, count, counted, pause } from './format.ts';
import { printable } from './text.ts';

/** Why a source failed, without its name in front: the name is printed beside the reason. */
export function reasonOf(source: string, error: Failure | undefined): string {
  return printable(error === undefined ? 'failed for an unknown reason' : withoutName(source, error).message);
}

/** What follows from the failures that a retry alone cannot help. */
export const NO_RETRY = 'A retry alone does not help: first do what the fix lines say.';

/** Whether a retry can help failed images. Undefined where none failed, or some failed in an earlier run of the batch. */
export function retryHelps({ ended, lasting }: BatchTotals, { failed }: Counts): boolean | undefined {
  if (ended.failed > lasting) return true;
  return failed === 0 || ended.failed < failed ? undefined : false;
}

/** When and why an image is tried again. The reason comes last because the end of the line may be cut. */
export function retryText({ source, delay, error }: JobRetrying): string {
  return `again in ${pause(delay)}: ${reasonOf(source, error)}`;
}

/** What can be done about an error, as a line; none if nothing is known. */
export function fixOf(error: { readonly fix?: string | undefined } | null | undefined): string[] {
  return error?.fix === undefined ? [] : [`fix: ${printable(error.fix)}`];
}

/** The states of ended jobs that a report counts: `completed` always, the others when they are not zero. */
export function shownStates(ended: Readonly<Record<EndedState, number>>): EndedState[] {
  return ENDED_STATES.filter((state) => state === 'completed' || ended[state] > 0);
}

/** `completed=405 duplicate=6 failed=1` */
export function countsInPlain(ended: Readonly<Record<EndedState, number>>): string {
  const counts = shownStates(ended).map((state) => `${state}=${ended[state]}`);
  return counts.join(' ');
}

/** `17 files passed over: 4 camera raw, 1 PDF, 10 hidden, 2 symlinks`; no text for no files. */
export function passedOverTexts(total: number, aside?: Aside | null): string[] {
  if (total === 0) return [];
  const named = mostFirst(aside?.passedOverBy ?? {})
    // What nobody looks for comes last.
    .sort(([a], [b]) => Number(a === 'no_picture_name') - Number(b === 'no_picture_name'))
    .flatMap(([reason, n]) => {
      const words = WORDS[reason];
      return words === undefined ? [] : [counted(n, ...words)];
    });
  const parts = [...(aside ? kindTexts(aside) : []), ...named];
  return [`${counted(total, 'file')} passed over${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`];
}

/** `symlink`, or for a picture of an unsupported format what it is: `camera raw`. */
export function whyPassedOver({ reason, kind }: PassedOverEvent): string {
  return kind ?? reason;
}

/** Pictures of unsupported formats: `4 camera raw`, `1 PDF`. */
export function kindTexts({ passedOverKinds }: Pick<Aside, 'passedOverKinds'>): string[] {
  return mostFirst(passedOverKinds).map(([kind, n]) => `${count(n)} ${kind}`);
}

function mostFirst(counts: Readonly<Record<string, number>>) {
  return Object.entries(counts).sort(([, a], [, b]) => b - a);
}

/** Whether a dry run says that outputs would be made. */
export function isForeseen({ state, would }: JobEvent): boolean {
  return state === 'completed' && would !== undefined;
}

/** The paths that a dry run says would be written, one a line. */
export function pathsOf(event: Event): string[] {
  return event.type === 'job' ? (event.wouldWrite ?? []).map(printable) : [];
}

/** `2 images have a tag in their names`, and which; no text for none. */
export function taggedTexts({ tagged, taggedSources }: BatchTotals): string[] {
  if (tagged === 0) return [];
  const have = tagged === 1 ? 'has a tag in its names' : 'have a tag in their names';
  const why = 'because another image has the plain names (imgtool help naming)';
  return [`${counted(tagged, 'image')} ${have}, ${why}${firstNames(taggedSources, tagged)}`];
}

/** `: a.jpg, b.jpg and 3 more`; no text if no name is known, as those of an earlier run of the batch. */
function firstNames(names: readonly string[], all: number): string {
  if (names.length === 0) return '';
  const more = all > names.length ? ` and ${count(all - names.length)} more` : '';
  return `: ${names.map(printable).join(', ')}${more}`;
}

/** `2 images are damaged, and their outputs show what could be read: a.jpg, b.jpg`; no text for none. */
export function damagedTexts(damaged: number, names: readonly string[]): string[] {
  if (damaged === 0) return [];
  const what = damaged === 1 ? 'is damaged, and its outputs show' : 'are damaged, and their outputs show';
  return [`${counted(damaged, 'image')} ${what} what could be read${firstNames(names, damaged)}`];
}

const FIRST: readonly number[] = [1];

/** `3 animations: still outputs have the first frame`, `2 multi-page TIFFs: first page only`; no text for neither. */
export function firstOnlyTexts(
  severalPages: ReadonlyMap<string, number>,
  rendered: readonly number[] = FIRST,
): string[] {
  const tiffs = severalPages.get('tiff') ?? 0;
  const others = [...severalPages.values()].reduce((sum, n) => sum + n, 0) - tiffs;
  return [
    ...(others > 0 ? [`${counted(others, 'animation')}: still outputs have the first frame`] : []),
    ...(tiffs > 0 ? [`${counted(tiffs, 'multi-page TIFF')}: ${tiffText(rendered)}`] : []),
  ];
}

function tiffText(rendered: readonly number[]): string {
  return rendered.join() === '1' ? 'first page only' : numbered(rendered);
}

/** `page 2`, `pages 1, 2 and 5` */
function numbered(pages: readonly number[]): string {
  const [last, ...others] = pages.toReversed();
  return others.length === 0 ? `page ${last}` : `pages ${others.toReversed().join(', ')} and ${last}`;
}

/** `12 frames`, `12 frames, 2 outputs have the first`, `first of 12 frames`, `pages 1 and 2 of 3` */
export function pagesText({ pages, format, outputs = [], renderedPages = FIRST }: SeveralPages): string {
  if (renderedPages.join() !== '1') return `${numbered(renderedPages)} of ${pages}`;
  const all = counted(pages, format === 'tiff' ? 'page' : 'frame');
  const stills = outputs.filter((output) => output.pages === undefined).length;
  if (stills === outputs.length) return `first of ${all}`;
  if (stills === 0) return all;
  return `${all}, ${counted(stills, 'output')} ${stills === 1 ? 'has' : 'have'} the first`;
}

interface SeveralPages {
  readonly pages: number;
  readonly format?: string | null | undefined;
  readonly outputs?: readonly Pick<Output, 'pages'>[];
  readonly renderedPages?: readonly number[];
}

/** The result of a dry run: `would write 3,693 files (3 variants x 1,231 images) to ./out; 41 duplicate`. */
export function dryRunText(totals: BatchTotals): string {
  const images = totals.writing;
  const variants = totals.wouldWrite / images;
  const each = Number.isInteger(variants)
    ? `${counted(variants, 'variant')} x ${counted(images, 'image')}`
    : `for ${counted(images, 'image')}`;
  const what = images > 0 ? `${counted(totals.wouldWrite, 'file')} (${each})` : 'nothing';
  const { would, ended } = totals;
  const rest: [number, string][] = [
    [would.get('duplicate') ?? 0, 'duplicate'],
    [would.get('unchanged') ?? 0, 'unchanged'],
    [ended.failed, 'would fail'],
  ];
  const others = rest.filter(([n]) => n > 0).map(([n, word]) => `${count(n)} ${word}`);
  const end = others.length === 0 ? '' : `; ${others.join(', ')}`;
  return `would write ${what} to ${printable(totals.started?.out ?? '')}${end}`;
}

/** The files that a dry run found under the names of outputs, and that the index does not know; no text for none. */
export function unknownTexts({ wouldKeep, unknown }: BatchTotals): string[] {
  if (wouldKeep === 0) return [];
  const [exist, stays] = wouldKeep === 1 ? ['exists', 'It stays'] : ['exist', 'Each stays'];
  const names = firstNames(unknown, wouldKeep);
  return [
    `${counted(wouldKeep, 'output')} already ${exist}, but the index does not know ${wouldKeep === 1 ? 'it' : 'them'}${names}.` +
      ` ${stays} if the bytes are the same as those of the new output; otherwise the image fails.`,
  ];
}

/** The outputs that a batch removed or a dry run would remove; no text for none. */
export function removedTexts({ removed, started }: BatchTotals): string[] {
  if (removed === 0) return [];
  const files = `${counted(removed, 'output')} that nothing asks for any more`;
  return [started?.dryRun ? `would remove ${files}` : `removed ${files}`];
}

/** Says that the batch made a new index under the name that it was given: the name may be mistyped. */
export function newIndexText({ newIndex }: BatchStarted): string[] {
  return newIndex === undefined ? [] : [`made a new index: ${printable(newIndex)}`];
}

/** Text after the number of outputs: ` (12 rendered, 6 linked, 3 kept)`. */
export function outputNote({ started, outputs }: BatchTotals): string {
  const done = Object.entries(outputs).filter(([, files]) => files > 0);
  const parts = done.map(([action, files]) => `${count(files)} ${action}`);
  // All other figures of a resumed batch cover all of its runs.
  return `${parts.length === 0 ? '' : ` (${parts.join(', ')})`}${started?.resumed ? ' in this run' : ''}`;
}

/** `saved 611 MB (-72%)`, `grew by 2.0 kB (+4%)` */
export function savedText(bytesIn: number, bytesOut: number): string {
  const saved = bytesIn - bytesOut;
  const word = saved >= 0 ? `saved ${bytes(saved)}` : `grew by ${bytes(-saved)}`;
  return `${word} (${change(bytesIn, bytesOut)})`;
}

/** How to go on with a batch that ended early; no line for any other. */
export function goOn({ id, state, command }: Batch): string[] {
  if (state !== 'cancelled' && state !== 'interrupted') return [];
  if (command === 'watch') return ['Run the same command again to go on.'];
  if (command === 'process') return [`Go on: imgtool resume ${id}`];
  return [state === 'cancelled' ? `Go on: imgtool retry ${id}` : 'Go on: imgtool serve'];
}

/** The headline of a batch that ended early; null for a batch that reached its end. */
export function endedEarly({ state, counts }: BatchFinished): string | null {
  if (state !== 'cancelled' && state !== 'interrupted') return null;
  const word = state === 'cancelled' ? 'Cancelled' : 'Interrupted';
  return `${word} after ${count(doneOf(counts))} of ${count(totalOf(counts))}.`;
}

/**
 * Whether a watch shows that it passed over a file. Files that were there when the watch started are only counted.
 */
export function isPassedOverShown(reason: PassedOver, isWaiting: boolean, verbose: boolean): boolean {
  return verbose || (isWaiting && SURPRISING.has(reason));
}

/** How a watch ended: `stopped` on request, `finished` with nothing left to do, or `interrupted` by an error. */
export function watchEnd({ state }: BatchFinished, stopping: boolean): string {
  if (state === 'interrupted') return 'interrupted';
  return stopping || state === 'cancelled' ? 'stopped' : 'finished';
}

/** Words for one file and, where they differ, for several. */
const PASSED_OVER: Readonly<
  Record<Exclude<PassedOver, 'unsupported_format'>, readonly [one: string, many?: string]>
> = {
  hidden: ['hidden', 'hidden'],
  symlink: ['symlink'],
  partial_download: ['partial download'],
  name_not_utf8: ['with a name that is not UTF-8', 'with a name that is not UTF-8'],
  staged: ['staged', 'staged'],
  index: ['of the index', 'of the index'],
  output: ['output'],
  excluded: ['excluded', 'excluded'],
  not_regular: ['not regular', 'not regular'],
  system_folder: ['system folder'],
  no_picture_name: ['other file'],
};
/** The same, for a reason that may be of another version. */
const WORDS: Readonly<Record<string, readonly [one: string, many?: string]>> = PASSED_OVER;
