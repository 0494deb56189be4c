import type { Limits, Order, PictureFacts, Rendered, Variant } from '../model.ts';
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
}

/**
 * Reads, recognises, checks and digests a source, once; what rendering takes is estimated for these variants. Errors:
 * those of open.ts, detect.ts and header.ts.
 */
export async function openPicture(
  path: string,
  limits: Limits,
  variants: readonly Variant[] = [],
  inMemory = IN_MEMORY,
): Promise<Picture> {
  const started = performance.now();
  const source = await openSource(path, inMemory);
  const ms = performance.now() - started;
  const found = await header(source, await detect(source.bytes ?? source.head, limits.allowSvg), limits);
  const memory = estimateMemory(
    found,
    { size: source.facts.size, held: source.bytes?.length ?? 0 },
    variants,
  );
  // As it was estimated, also where only some of them are rendered.
  const most = mostAtOnce(plan(found, found.format, variants));
  return {
    facts: { ...factsOf(source, found), memory, ms },
    render: (orders, atOnce = most) => render(source, found, orders, limits, Math.min(atOnce, most)),
  };
}

function factsOf({ facts, digest }: Source, { format, width, height }: Header) {
  return { facts, digest, format, width, height };
}
