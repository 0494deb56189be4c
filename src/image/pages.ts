import type { Limits, Order, Rendered, Variant } from '../model.ts';
import { fullVariant } from '../variants/fields.ts';
import { detect } from './detect.ts';
import { estimateMemory, largestPlan, mostAtOnce } from './memory.ts';
import type { Source } from './open.ts';
import { assertPixels, plan } from './plan.ts';
import { type Header, header } from './steps/header.ts';

/** A page that variants ask for, and how many of its outputs may be encoded at the same time. Most sources have one. */
export type Page = { readonly header: Header; readonly most: number };

/** Reads the header of each page, and checks what the variants ask of it. Errors: of detect.ts, header.ts and plan.ts. */
export async function openPages(source: Source, limits: Limits, recorded: readonly Variant[]) {
  // A batch that was recorded by an earlier version lacks newer fields.
  const variants = recorded.map(fullVariant);
  const format = await detect(source.head, limits.allowSvg);
  const { facts, input } = source;
  const file = { size: facts.size, held: typeof input === 'string' ? 0 : input.length };
  const numbers = [...new Set(variants.map(({ page }) => page))].sort((a, b) => a - b);
  const last = numbers.at(-1) ?? 1;
  const pages = new Map<number, Page>();
  let memory = 0;
  for (const page of numbers.length === 0 ? [1] : numbers) {
    const found = await header(source, format, limits, { page, last });
    const own = variants.filter((variant) => variant.page === page);
    assertPixels(found, plan(found, found.format, own), limits.pixels);
    pages.set(page, { header: found, most: mostAtOnce(largestPlan(found, own, limits.pixels)) });
    memory = Math.max(memory, estimateMemory(found, file, own, limits.pixels));
  }
  const [first] = pages.values();
  return { pages, first: first!.header, memory };
}

/** Renders the pages one after the other, and joins the results. */
export async function renderPages(
  pages: ReadonlyMap<number, Page>,
  recorded: readonly Order[],
  render: (page: Page, orders: readonly Order[]) => Promise<Rendered>,
): Promise<Rendered> {
  const orders = recorded.map(({ variant, path }) => ({ variant: fullVariant(variant), path }));
  const numbers = [...new Set(orders.map(({ variant }) => variant.page))];
  const parts: Rendered[] = [];
  const outputs = new Map<Order, Rendered['outputs'][number]>();
  for (const page of numbers) {
    const own = orders.filter(({ variant }) => variant.page === page);
    const found = pages.get(page);
    if (found === undefined) throw new Error(`page ${page} is not open`);
    const part = await render(found, own);
    for (const [i, order] of own.entries()) outputs.set(order, part.outputs[i]!);
    parts.push(part);
  }
  const [first] = parts;
  if (parts.length === 1) return first!;
  const total = (key: keyof Rendered['ms']): number => parts.reduce((sum, { ms }) => sum + ms[key], 0);
  return {
    ...first!,
    outputs: orders.map((order) => outputs.get(order)!),
    degraded: parts.some(({ degraded }) => degraded),
    ms: {
      decode: total('decode'),
      encode: total('encode'),
      resize: total('resize'),
      write: total('write'),
      color: total('color'),
    },
  };
}
