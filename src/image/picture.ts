import type { Limits, Order, PictureFacts, SourceFile, Variant } from '../model.ts';
import { detect } from './detect.ts';
import { estimateMemory, mostAtOnce } from './memory.ts';
import { IN_MEMORY, openSource } from './open.ts';
import { plan } from './plan.ts';
import { render } from './render.ts';
import { header } from './steps/header.ts';

/** The picture that is open in a child process; at most one at a time. */
export type Picture = Awaited<ReturnType<typeof openPicture>>;

/**
 * Opens a source, detects its format, checks its header, and estimates the memory for rendering these variants. Errors:
 * those of open.ts, detect.ts and header.ts.
 */
export async function openPicture(
  file: string | SourceFile,
  limits: Limits,
  variants: readonly Variant[] = [],
  inMemory = IN_MEMORY,
) {
  const started = performance.now();
  const source = await openSource(file, inMemory);
  const ms = performance.now() - started;
  try {
    const { facts, digest, input, close } = source;
    const found = await header(source, await detect(source.head, limits.allowSvg), limits);
    const { format, width, height } = found;
    const held = typeof input === 'string' ? 0 : input.length;
    const memory = estimateMemory(found, { size: facts.size, held }, variants);
    // Keep to the memory estimate, which covers all variants, even when `orders` contains fewer.
    const most = mostAtOnce(plan(found, format, variants));
    return {
      facts: { facts, digest, format, width, height, memory, ms } satisfies PictureFacts,
      /** Encodes at most `atOnce` outputs at the same time. */
      render: (orders: readonly Order[], atOnce = most) =>
        render(source, found, orders, limits, Math.min(atOnce, most)),
      /** Closes the file. Do not call during a render. Can be called twice. */
      close,
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
