import type { Decision, Elsewhere, Facts, Wanted } from '../../../src/core/job/decide.ts';
import type { FileFacts, OutputRecord } from '../../../src/model.ts';
import { outputRecord, sha, sourceRecord, variant } from '../../records.ts';

/** A source with one output, and what is known about both. Tests change one fact at a time. */

export const SOURCE = '/photos/a.jpg';
const DIGEST = sha('bytes');
const PATH = '/out/a_small.webp';

export const made = outputRecord(PATH, SOURCE, { digest: DIGEST, settings: 'aa' });
const intact: FileFacts = { size: made.size, mtime: made.mtime, ino: made.ino };
export const touched = { ...intact, mtime: '1' };
export const moved = { ...intact, ino: '99' };
export const truncated = { ...intact, size: 1 };
const recorded = sourceRecord(SOURCE, { digest: DIGEST });

export const want = (over: Partial<Wanted> = {}): Wanted => ({
  path: PATH,
  variant: variant(),
  settings: 'aa',
  record: made,
  disk: intact,
  holds: null,
  ...over,
});
export const unmade = want({ record: undefined, disk: null });
export const reserved = (source: string) => ({
  path: PATH,
  source,
  checksum: null,
  settings: null,
  digest: null,
  variant: null,
  presets: null,
});

export const elsewhere = (over: Partial<Elsewhere> = {}, record: Partial<OutputRecord> = {}): Elsewhere => ({
  record: outputRecord('/out/b_small.webp', '/photos/b.jpg', { digest: DIGEST, settings: 'aa', ...record }),
  intact: true,
  ownerThere: true,
  sameFolder: true,
  linkable: true,
  ...over,
});

/** An unknown file with the bytes of an output elsewhere. */
export const found = want({ record: undefined, checksum: sha('/out/b_small.webp') });

export const known = (over: Partial<Facts> = {}): Facts => ({
  source: SOURCE,
  recorded,
  digest: DIGEST,
  kind: { format: 'jpeg', pages: 1 },
  wanted: [want()],
  elsewhere: [],
  modified: null,
  force: false,
  outdated: false,
  duplicates: 'link',
  ...over,
});

/** A decision as text: its action, then the step of each output. */
export function inWords(decision: Decision): string {
  if (decision.action === 'refuse') return `refuse ${decision.code}`;
  if (!('steps' in decision)) return decision.action;
  const steps = decision.steps.map((step) => {
    if (!('replace' in step)) return step.kind;
    const what = step.kind === 'place' ? step.how : step.kind;
    return `${what}${step.replace ? ' over' : ''}`;
  });
  return `${decision.action}: ${steps.join(', ')}`;
}
