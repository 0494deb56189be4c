import type { Limits, Order, PictureFacts, Rendered, SourceFile, Variant } from '../model.ts';
import { detect } from './detect.ts';
import { estimateMemory, mostAtOnce } from './memory.ts';
import { IN_MEMORY, openSource, type Source } from './open.ts';
import { plan } from './plan.ts';
import { render } from './render.ts';
import { type Header, header } from './steps/header.ts';

/** The one picture a child holds. */
export interface Picture {
  readonly facts: PictureFacts;
  /** At most `atOnce` outputs are encoded side by side. */
  render(orders: readonly Order[], atOnce?: number): Promise<Rendered>;
  /** Closes its file; not while it renders. May be called twice. */
  close(): Promise<void>;
}

/**
 * Reads, recognises, checks and digests a source, once; what rendering takes is estimated for these variants. Errors:
 * those of open.ts, detect.ts and header.ts.
 */
export async function openPicture(
  file: string | SourceFile,
  limits: Limits,
  variants: readonly Variant[] = [],
  inMemory = IN_MEMORY,
): Promise<Picture> {
  const started = performance.now();
  const source = await openSource(file, inMemory);
  const ms = performance.now() - started;
  try {
    return await pictureOf(source, ms, limits, variants);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function pictureOf(
  source: Source,
  ms: number,
  limits: Limits,
  variants: readonly Variant[],
): Promise<Picture> {
  const found = await header(source, await detect(source.head, limits.allowSvg), limits);
  const held = typeof source.input === 'string' ? 0 : source.input.length;
  const memory = estimateMemory(found, { size: source.facts.size, held }, variants);
  // As it was estimated, also where only some of them are rendered.
  const most = mostAtOnce(plan(found, found.format, variants));
  return {
    facts: { ...factsOf(source, found), memory, ms },
    render: (orders, atOnce = most) => render(source, found, orders, limits, Math.min(atOnce, most)),
    close: source.close,
  };
}

function factsOf({ facts, digest }: Source, { format, width, height }: Header) {
  return { facts, digest, format, width, height };
}
