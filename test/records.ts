import { createHash } from 'node:crypto';
import type { BatchOptions, OutputRecord, SourceRecord, Variant } from '../src/model.ts';
import type { NewJob } from '../src/ports.ts';
import { fullVariant } from '../src/variants/fields.ts';

/** Sample data with every field set, for tests that check a few of the fields. */

export function sha(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

export function variant(over: Partial<Variant> = {}): Variant {
  return { ...fullVariant({ name: 'small', width: 100 }), ...over };
}

export function batchOptions(over: Partial<BatchOptions> = {}): BatchOptions {
  return {
    preset: { name: 'test', variants: [variant()] },
    out: '/out',
    outGiven: 'out',
    template: '{dir}/{name}_{variant}.{ext}',
    duplicates: 'link',
    force: false,
    outdated: false,
    keepEdited: false,
    times: false,
    dryRun: false,
    jobs: 2,
    memory: 1_000_000_000,
    memoryCap: 1_000_000_000,
    limits: { pixels: 268_000_000, allowSvg: false, lenient: false, timeout: 120_000 },
    walk: {
      allFiles: false,
      followSymlinks: false,
      ignoreCtime: false,
      include: [],
      exclude: [],
      base: null,
    },
    list: null,
    mirror: false,
    ...over,
  };
}

export function newJob(name: string, over: Partial<NewJob> = {}): NewJob {
  return {
    source: `/photos/${name}`,
    given: `photos/${name}`,
    relative: name,
    candidates: [[`/out/${name}_small.webp`], [`/out/${name}~1_small.webp`]],
    ...over,
  };
}

export function sourceRecord(path: string, over: Partial<SourceRecord> = {}): SourceRecord {
  return {
    path,
    size: 1_000,
    mtime: '1700000000000000000',
    ino: '7',
    ctime: '1700000000500000000',
    digest: sha(path),
    width: 400,
    height: 300,
    format: 'jpeg',
    pages: 1,
    dominantColor: '#102030',
    degraded: false,
    seenAt: 1_800_000_000_000,
    ...over,
  };
}

export function outputRecord(path: string, source: string, over: Partial<OutputRecord> = {}): OutputRecord {
  return {
    path,
    source,
    variant: 'small',
    settings: 'aa',
    digest: sha(source),
    format: 'webp',
    width: 100,
    height: 75,
    size: 300,
    mtime: '1700000001000000000',
    ino: '8',
    checksum: sha(path),
    encoder: 'libvips 0',
    presets: ',test,',
    recipe: 6,
    metadata: null,
    linkable: null,
    ...over,
  };
}
