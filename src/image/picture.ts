import type { Limits, Order, PictureFacts, Rendered } from '../model.ts';
import { detect } from './detect.ts';
import { IN_MEMORY, openSource, type Source } from './open.ts';
import { render } from './render.ts';
import { type Header, header } from './steps/header.ts';

/** The one picture a child holds. */
export interface Picture {
  readonly facts: PictureFacts;
  render(orders: readonly Order[]): Promise<Rendered>;
}

/** Reads, recognises, checks and digests a source, once. Errors: those of open.ts, detect.ts and header.ts. */
export async function openPicture(path: string, limits: Limits, inMemory = IN_MEMORY): Promise<Picture> {
  const started = performance.now();
  const source = await openSource(path, inMemory);
  const ms = Math.round(performance.now() - started);
  const found = await header(source, await detect(source.bytes ?? source.head, limits.allowSvg), limits);
  return { facts: factsOf(source, found, ms), render: (orders) => render(source, found, orders, limits) };
}

function factsOf({ facts, digest }: Source, { format, width, height }: Header, ms: number): PictureFacts {
  return { facts, digest, format, width, height, ms };
}
