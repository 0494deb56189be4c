import type { Backup, Check, KeptRows, KeptUploads, Repaired, StoreBackup } from '../model/mended.ts';
import type { Style } from '../model.ts';
import { bytes as bytesText, counted } from './format.ts';
import { layoutFor, line } from './layout.ts';
import { padEnd, printable, textOf, widest, wrap } from './text.ts';
import { fixOf } from './wording.ts';

/** The number of problems of an index that are shown. Often one bad page causes all of them. */
const PROBLEMS_SHOWN = 3;
/** Columns before the facts. */
const INDENT = 12;

/** The checks of `imgtool doctor` as text, for a terminal or a bug report. The text ends with a newline. */
export function doctorText(checks: readonly Check[], style: Style): string {
  const layout = layoutFor(style);
  const names = Math.min(24, widest(checks.map(({ name }) => name)));
  const indent = 12 + names;
  const { green, yellow, red } = layout.chalk;
  const paints = { ok: green, warning: yellow, problem: red };
  const lines = checks.flatMap((check) => {
    const [first, ...more] = hanging([printable(check.value), ...fixOf(check)], indent, layout.columns);
    const label = { text: padEnd(check.state, 7), paint: paints[check.state] };
    return [line([' ', label, '  ', padEnd(printable(check.name), names), '  ', first], layout), ...more];
  });
  return trimmed([...lines, '', verdict(checks)]);
}

/** What `doctor --json` prints. */
export function doctorJson(checks: readonly Check[]): object {
  return { v: 1, checks: checks.map(({ name, state, value, fix }) => ({ name, state, value, fix })) };
}

function verdict(checks: readonly Check[]): string {
  const parts = (['problem', 'warning'] as const).flatMap((word) => {
    const found = checks.filter(({ state }) => state === word).length;
    return found > 0 ? [counted(found, word)] : [];
  });
  return parts.length === 0 ? ' Everything is well.' : ` ${parts.join(', ')}.`;
}

/** What `doctor --backup` did. The text ends with a newline. */
export function backupText(
  { backup, store }: { readonly backup: Backup | null; readonly store: StoreBackup | null },
  style: Style,
): string {
  const page = (headline: string, { file, bytes }: Backup | StoreBackup, kept: string) =>
    pageOf(headline, { copy: file, holds: `${bytesText(bytes)}, ${kept}` }, [], style);
  const absent = (what: string) => pageOf(what, {}, [], style);
  return [
    backup === null
      ? absent('There is no index, so only uploads were saved.')
      : page('The index was saved.', backup, keptIn(backup)),
    store === null
      ? absent('There are no records of uploads beside this index.')
      : page('The store of uploads was saved.', store, uploadsIn(store)),
  ].join('\n');
}

/** What `doctor --repair` did, and the state of the store of uploads, if there is one. The text ends with a newline. */
export function repairedText(repair: Repaired, style: Style, store?: Check): string {
  const index = ofIndex(repair, style);
  if (store === undefined) return index;
  const fix = fixOf(store);
  const headline =
    store.state === 'ok'
      ? 'The store of uploads is in order.'
      : 'The store of uploads is damaged, and a repair never changes it.';
  return `${index}\n${pageOf(headline, { store: store.value }, fix, style)}`;
}

function ofIndex(repair: Repaired, style: Style): string {
  const { state, index, movedTo, problems, saved, incomplete } = repair;
  if (state === 'absent')
    return pageOf(`There is no index at ${index}: nothing needs repair.`, {}, [], style);
  if (state === 'healthy')
    return pageOf(`The index ${index} is in order: nothing needs repair.`, {}, [], style);
  const isAllLost = Object.values(saved).every((rows) => rows === 0);
  const headline = isAllLost
    ? 'Nothing could be saved of the damaged index: the new one in its place is empty.'
    : 'A new index is in place of the damaged one.';
  const facts = {
    index,
    was: problems.slice(0, PROBLEMS_SHOWN).join('; '),
    saved: `${keptIn(saved)}, ${counted(saved.jobs, 'job')}`,
    lost: incomplete.length === 0 ? 'nothing that is known' : lostOf(incomplete, isAllLost),
    'old one': movedTo ?? '',
  };
  return pageOf(headline, facts, nextSteps(incomplete), style);
}

function lostOf(incomplete: Repaired['incomplete'], isAllLost: boolean): string {
  if (isAllLost) return 'all it held: how much that was cannot be known';
  return `some of the ${incomplete.join(', ')}: how many cannot be known`;
}

/** What the next run does with outputs whose rows are lost. Without its row, an output looks like a source. */
function nextSteps(incomplete: Repaired['incomplete']): string[] {
  const adopted =
    'Run the same commands again: outputs that are there are adopted where they lie apart from the sources.';
  const warning =
    'Warning: where outputs lie among the sources, those whose rows were lost will be taken for pictures, and outputs ' +
    'made of them. Move them away first, or put a backup of the index in its place.';
  if (incomplete.includes('outputs')) return [adopted, warning];
  return incomplete.includes('sources') ? [adopted] : [];
}

/** What an index holds, in words. */
export function keptIn({ sources, outputs, batches }: KeptRows): string {
  const kept = [counted(sources, 'source'), counted(outputs, 'output'), counted(batches, 'batch', 'batches')];
  return kept.join(', ');
}

/** What a store of uploads holds, in words. */
export function uploadsIn({ images, waiting, outputs }: KeptUploads): string {
  return `${counted(images, 'image')} (${waiting} not ended), ${counted(outputs, 'output')}`;
}

type PageFacts = Readonly<Record<string, string>>;

/** A headline, facts below it, and paragraphs. */
function pageOf(headline: string, facts: PageFacts, paragraphs: readonly string[], style: Style): string {
  const { columns } = layoutFor(style);
  const rows = Object.entries(facts).flatMap(([name, value]) => {
    const [first, ...more] = hanging([printable(value)], INDENT, columns);
    return [`   ${padEnd(name, INDENT - 3)}${first}`, ...more];
  });
  return trimmed([
    ...wrap(printable(headline), columns, ' '),
    ...(rows.length === 0 ? [] : ['', ...rows]),
    ...paragraphs.flatMap((text) => ['', ...wrap(printable(text), columns, ' ')]),
  ]);
}

/** Wrapped texts. All lines but the first are indented. */
function hanging(texts: readonly string[], indent: number, columns: number): [string, ...string[]] {
  const [first = '', ...more] = texts.flatMap((text) => wrap(text, Math.max(8, columns - indent)));
  return [first, ...more.map((text) => ' '.repeat(indent) + text)];
}

function trimmed(lines: readonly string[]): string {
  return textOf(lines.map((text) => text.trimEnd()));
}
