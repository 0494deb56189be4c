import type { BatchFinished, Failure, PassedOver } from '../model.ts';
import { bytes, change, count, counted } from './format.ts';
import { printable } from './printable.ts';
import type { Tally } from './tally.ts';
import { doneOf, SETTLED, totalOf } from './totals.ts';

/** Sentences that the terminal, plain lines and the summary share. */

/** What went wrong with a source that is named beside it, so the name in front of the message goes. */
export function reasonOf(source: string, error: Failure | undefined): string {
  const message = error?.message ?? 'failed for a reason nobody noted';
  return printable(message.startsWith(`${source}: `) ? message.slice(source.length + 2) : message);
}

/** `completed=405 duplicate=6 failed=1`: those that are not zero, completed always. */
export function countsInPlain(counts: Readonly<Record<(typeof SETTLED)[number], number>>): string {
  return SETTLED.filter((state) => state === 'completed' || counts[state] > 0)
    .map((state) => `${state}=${counts[state]}`)
    .join(' ');
}

/** `12 files passed over: 10 hidden, 2 symlinks`; empty when there were none. */
export function passedOverText(total: number, reasons: ReadonlyMap<PassedOver, number>): string {
  if (total === 0) return '';
  const parts = [...reasons]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, n]) => `${count(n)} ${PASSED_OVER[reason]}`);
  return `${counted(total, 'file')} passed over${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

/** What a dry run found: `would write 3,693 files (3 variants x 1,231 images) to ./out; 41 duplicate`. */
export function dryRunText(tally: Tally): string {
  const images = tally.writing;
  const variants = tally.wouldWrite / images;
  const each = Number.isInteger(variants)
    ? `${counted(variants, 'variant')} x ${counted(images, 'image')}`
    : `for ${counted(images, 'image')}`;
  const what = images > 0 ? `${counted(tally.wouldWrite, 'file')} (${each})` : 'nothing';
  const rest = [
    ...(['duplicate', 'unchanged'] as const).map((would) => [tally.would.get(would) ?? 0, would] as const),
    [tally.failures, 'would fail'] as const,
  ].filter(([n]) => n > 0);
  const others = rest.length === 0 ? '' : `; ${rest.map(([n, word]) => `${count(n)} ${word}`).join(', ')}`;
  return `would write ${what} to ${printable(tally.started?.out ?? '')}${others}`;
}

/** Files whose bytes are told as size: all that the images have, links among them. */
export function outputsOf({ outputs }: Tally): number {
  return outputs.completed + outputs.duplicate + outputs.unchanged;
}

/** What stands behind their number: ` (39 of duplicates, 3 of unchanged images)`; empty where all were made just now. */
export function outputsBehind({ started, outputs }: Tally): string {
  const parts = [
    ...(outputs.duplicate > 0 ? [`${count(outputs.duplicate)} of duplicates`] : []),
    ...(outputs.unchanged > 0 ? [`${count(outputs.unchanged)} of unchanged images`] : []),
  ];
  // Of a batch that was gone on with, all else is told of all of it.
  return `${parts.length === 0 ? '' : ` (${parts.join(', ')})`}${started?.resumed ? ' in this run' : ''}`;
}

/** `saved 611 MB (-72%)`, `grew by 2.0 kB (+4%)` */
export function savedText(bytesIn: number, bytesOut: number): string {
  const saved = bytesIn - bytesOut;
  const word = saved >= 0 ? `saved ${bytes(saved)}` : `grew by ${bytes(-saved)}`;
  return `${word} (${change(bytesIn, bytesOut)})`;
}

/** How a batch that did not reach its end is told; null for one that did. */
export function endedEarly({ state, counts }: BatchFinished): string | null {
  if (state !== 'cancelled' && state !== 'interrupted') return null;
  const word = state === 'cancelled' ? 'Cancelled' : 'Interrupted';
  return `${word} after ${count(doneOf(counts))} of ${count(totalOf(counts))}.`;
}

/**
 * Whether a watch tells that a file was passed over: one that landed and looks like a picture to whoever put it there
 * must not vanish without a word. What lay there before is counted only.
 */
export function isToldOf(reason: PassedOver, landed: boolean, verbose: boolean): boolean {
  return verbose || (landed && SURPRISING.has(reason));
}

/** How a watch ended: `stopped` by somebody, `finished` with nothing left to do, `interrupted` by what went wrong. */
export function watchEnd({ state }: BatchFinished, stopping: boolean): string {
  if (state === 'interrupted') return 'interrupted';
  return stopping || state === 'cancelled' ? 'stopped' : 'finished';
}

const SURPRISING: ReadonlySet<PassedOver> = new Set([
  'not_regular',
  'name_not_utf8',
  'unreadable',
  'symlink',
]);

const PASSED_OVER: Readonly<Record<PassedOver, string>> = {
  hidden: 'hidden',
  symlink: 'symlinks',
  partial_download: 'partial downloads',
  name_not_utf8: 'with a name that is not UTF-8',
  staged: 'staged',
  index: 'of the index',
  output: 'outputs',
  excluded: 'excluded',
  not_regular: 'not regular',
  unreadable: 'unreadable',
};
