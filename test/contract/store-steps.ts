import { randomUUID } from 'node:crypto';
import type { Failure, Preset, StoredOutput, TrailEntry } from '../../src/model.ts';
import type { Claim, ImageEnd, NewImage, NewUpload, Store } from '../../src/ports.ts';
import { sha, variant } from '../records.ts';

/** Steps that the contract tests of stores share. */

/** A store with its audit trail, which people read in the database. */
export interface TestedStore extends Store {
  /** The entries of an image, in order. */
  trail(image: string): Promise<TrailEntry[]>;
}

/** Opens a new empty store, whose clock a test may set. */
export type OpenStore = (clock: Clock) => Promise<TestedStore>;

/** Milliseconds since 1970. */
export interface Clock {
  now: number;
}

export const HOUR = 3_600_000;
/** A full hour. */
export const START = 500_000 * HOUR;

export const PRESET: Preset = { name: 'archive', variants: [variant()] };
export const TORN: Failure = { code: 'corrupt', message: 'is torn', fix: 'send it again' };
export const MS = { digest: 1, decode: 2, encode: 3, commit: 4, total: 10 };

export function newImage(over: Partial<NewImage> = {}): NewImage {
  const id = randomUUID();
  return {
    id,
    job: randomUUID(),
    name: 'photo.jpg',
    metadata: null,
    uploaded: { digest: sha(id), bytes: 1_000 },
    staged: `staging/${id}`,
    error: null,
    ...over,
  };
}

/** A file that was refused while it was uploaded. */
export function refusedImage(): NewImage {
  return newImage({ uploaded: null, staged: null, error: TORN });
}

export function newUpload(over: Partial<NewUpload> = {}): NewUpload {
  return {
    id: randomUUID(),
    owner: 'ann',
    bucket: 'shop',
    preset: PRESET,
    priority: 1,
    images: [newImage()],
    quota: null,
    key: null,
    ...over,
  };
}

/** Accepts an upload and returns it. */
export async function upload(store: Store, over: Partial<NewUpload> = {}) {
  const made = newUpload(over);
  const { type } = await store.accept(made);
  if (type !== 'accepted') throw new Error(`was ${type}`);
  const [first = newImage()] = made.images;
  return { ...made, first };
}

/** Takes the image that is next. */
export async function takeNext(store: Store): Promise<Claim> {
  const [claim] = await store.take('worker', 1);
  if (claim === undefined) throw new Error('no image waits');
  return claim;
}

/** Takes the image that is next, and begins an attempt at it. */
export async function beginNext(store: Store): Promise<Claim> {
  const claim = await takeNext(store);
  if (!(await store.begin(claim))) throw new Error('the claim is lost');
  return claim;
}

export function output(image: string, over: Partial<StoredOutput> = {}): StoredOutput {
  return {
    variant: 'small',
    format: 'webp',
    settings: 'aa',
    key: `shop/processed/small/${image}_small.webp`,
    bytes: 100,
    checksum: sha(`${image} small`),
    encoder: 'libwebp 1',
    recipe: 1,
    width: 100,
    height: 75,
    ...over,
  };
}

export function completed(image: string, over: Partial<ImageEnd & { state: 'completed' }> = {}) {
  return {
    state: 'completed',
    picture: { format: 'jpeg', width: 400, height: 300 },
    dominantColor: '#102030',
    degraded: false,
    duplicateOf: null,
    outputs: [output(image)],
    ms: MS,
    ...over,
  } as const satisfies ImageEnd;
}

export const tornEnd: ImageEnd = { state: 'failed', error: TORN, ms: null };

/** The types of the audit trail of an image. */
export async function trailOf(store: TestedStore, image: string): Promise<string[]> {
  return (await store.trail(image)).map(({ type }) => type);
}
