import { isAskedBy } from '../../model/records.ts';
import type { Mirroring, NameRecord, Warning } from '../../model.ts';
import type { Sources } from '../../ports.ts';
import type { JobContext } from '../job/context.ts';
import { isMade } from '../job/decide.ts';
import { isBelow } from '../job/facts.ts';
import { CHUNK } from './intake.ts';

/** A source with outputs that a mirror removes. */
interface Due {
  readonly source: string;
  readonly isGone: boolean;
}

/** What the sources below the named folders should no longer have. */
export interface MirrorPlan {
  readonly folders: readonly { readonly folder: string; readonly due: readonly Due[] }[];
  /** About missing sources whose outputs stay. */
  readonly warnings: readonly Warning[];
}

/**
 * Finds the sources below the named folders that are gone, and those with outputs of variants that the preset no longer
 * has. Call it before the batch adds sources: they are not known from before.
 */
export async function planMirror(context: JobContext): Promise<MirrorPlan> {
  const { sources, storage, options } = context;
  const roots = new Set(sources.folders);
  const outermost = [...roots].filter((root) => ![...roots].some((other) => isBelow(root, other)));
  const folders: MirrorPlan['folders'][number][] = [];
  const warnings: Warning[] = [];
  let isTooMuch = false;
  for (const folder of outermost) {
    const { known, gone, stale } = await compare(context, folder);
    const judged = await judgeMissing(context, { folder, missing: gone, known }, options.mirror);
    isTooMuch ||= judged.isTooMuch;
    warnings.push(...judged.warnings);
    const due = judged.gone.map((source) => ({ source, isGone: true }));
    folders.push({ folder, due: [...due, ...stale.map((source) => ({ source, isGone: false }))] });
  }
  // Outputs on a disk that is not mounted would only be forgotten.
  const isAway = (await storage.lackOf(options.out)) !== null;
  return { folders: isTooMuch || isAway ? [] : folders, warnings };
}

/** The sources below one folder with outputs that the preset asks for, or asked for. */
async function compare(context: JobContext, folder: string) {
  const { index, sources } = context;
  const [gone, stale]: [string[], string[]] = [[], []];
  let known = 0;
  const since = await missingSince(context, folder);
  /** Whether each source has an output of another variant, and whether it was known before pictures were missing. */
  let chunk = new Map<string, { readonly isStale: boolean; readonly isOld: boolean }>();
  const flush = async () => {
    for (const path of await sources.missing([...chunk.keys()])) {
      if (!(await isWalkedAndGone(context, path))) continue;
      gone.push(path);
      known++;
      chunk.delete(path);
    }
    known += [...chunk.values()].filter(({ isOld }) => isOld).length;
    stale.push(...[...chunk].filter(([, { isStale }]) => isStale).map(([path]) => path));
    chunk = new Map();
  };
  for await (const record of index.outputsOfSources(folder)) {
    if (!isOurs(context, record)) continue;
    const { source } = record;
    if (chunk.size >= CHUNK && !chunk.has(source)) await flush();
    const seen = chunk.get(source) ?? { isStale: false, isOld: record.order <= since };
    chunk.set(source, isWanted(context, record) ? seen : { ...seen, isStale: true });
  }
  await flush();
  return { known, gone, stale };
}

/** The last output that was recorded before sources were missing that still are. Drops the notes of those that are back. */
export async function missingSince({ index, sources, options }: JobContext, folder: string): Promise<number> {
  const noted = await index.notedMissing(folder);
  if (noted.size === 0) return Number.POSITIVE_INFINITY;
  // In a folder that is away nobody can tell which sources are back.
  const isThere = (await Promise.all(sources.folders.map(sources.isFolder))).every(Boolean);
  const still = new Set(isThere ? await sources.missing([...noted.keys()]) : noted.keys());
  const back = [...noted.keys()].filter((path) => !still.has(path));
  if (back.length > 0 && !options.dryRun) await index.noteFound(back);
  // As arguments of one call, so many orders would not fit on the stack.
  const orders = [...noted].filter(([path]) => still.has(path)).map(([, order]) => order);
  return orders.reduce((least, order) => Math.min(least, order), Number.POSITIVE_INFINITY);
}

/** Whether a walk by the rules of the batch leads to the place of this source, and nothing is there. */
async function isWalkedAndGone({ sources, signal }: JobContext, at: string): Promise<boolean> {
  let isGone = false;
  for await (const entry of sources.walk(signal, { at })) {
    if (entry.type === 'found' || entry.type === 'unreadable') return false;
    // A walk also ends at a link that has replaced a folder. The source may be behind that link.
    if (entry.type === 'gone') isGone ||= (await sources.missing([entry.path])).length > 0;
  }
  return isGone;
}

/** Whether an output is in the output folder, and the preset asks for it or asked for it. */
export function isOurs(context: JobContext, record: NameRecord): boolean {
  const { options, settings } = context;
  if (record.digest === null || !isBelow(record.path, options.out)) return false;
  if (record.presets !== null) return isAskedBy(options.preset.name, record);
  // An older version did not record presets. An output that looks dropped may be one of another preset.
  return record.settings !== null && settings.includes(record.settings) && isWanted(context, record);
}

/** Whether the preset has a variant with the name of an output, and with its format if the output was made. */
export function isWanted({ options: { preset } }: Pick<JobContext, 'options'>, record: NameRecord): boolean {
  return preset.variants.some(({ name, format }) => {
    return name === record.variant && (!isMade(record) || record.format === format);
  });
}

/** Number of missing sources that a warning names. */
const NAMED = 10;

/** What to do about missing sources. */
const MISSING =
  'mount or name the right folder; if they are really gone, run the same command once with {{mirror all}}';

/** The missing sources of a folder, and the number of its sources that were known before. */
interface Missing {
  readonly folder: string;
  readonly missing: readonly string[];
  readonly known: number;
}

/**
 * Decides which of the missing sources of a folder are gone. `isTooMuch`: more than half of the known sources are missing,
 * so no output is removed, and the index notes the missing sources.
 */
export async function judgeMissing(
  { index, sources, options }: JobContext,
  { folder, missing, known }: Missing,
  mirror: Mirroring,
) {
  if (mirror === 'all') return { gone: missing, warnings: [], isTooMuch: false };
  const warn = (message: string): Warning[] => {
    return [{ type: 'warning', message: `${sources.givenOf(folder)}: ${message}`, fix: MISSING }];
  };
  // An unmounted disk is more likely than so many deleted pictures.
  if (2 * missing.length > known) {
    // Pictures that replace the missing ones must not make the next run believe that fewer than half are missing.
    if (!options.dryRun) await index.noteMissing(missing);
    const all = `${missing.length} of the ${known} pictures known from before are not there`;
    const what = known === 1 ? 'the only picture known from before is not there' : all;
    const warnings = warn(`${what}, so no output is removed: ${named(sources, missing)}`);
    return { gone: [], warnings, isTooMuch: true };
  }
  const gone = await sources.gone(missing);
  const certain = new Set(gone);
  const unclear = missing.filter((source) => !certain.has(source));
  const keeps = `keeps the outputs of missing pictures whose folders are empty: ${named(sources, unclear)}`;
  return { gone, warnings: unclear.length > 0 ? warn(keeps) : [], isTooMuch: false };
}

/** The first paths of a list, and the number of the others. */
function named({ givenOf }: Pick<Sources, 'givenOf'>, paths: readonly string[]): string {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '';
  return paths.slice(0, NAMED).map(givenOf).join(', ') + more;
}
