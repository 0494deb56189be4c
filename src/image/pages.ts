import { askedPages } from '../model/picture.ts';
import type { Limits, Order, Rendered, RenderProgress, Variant } from '../model.ts';
import { MOVING } from '../variants/formats.ts';
import { detect } from './detect.ts';
import { estimateMemory, largestPlan, mostAtOnce } from './memory.ts';
import type { Source } from './open.ts';
import { assertPixels, plan } from './plan.ts';
import { withoutPage } from './region.ts';
import { type Header, header } from './steps/header.ts';

/** A page or an animation that variants ask for, and how many of its outputs may be encoded at the same time. Most sources have one. */
export type Page = { readonly header: Header; readonly most: number };

/** Receives the progress after each output. Outputs with the same bytes come together. */
export type ProgressReport = (progress: RenderProgress) => void;

/**
 * Reads the header of each page, and checks what the variants ask of it. `source` is what to decode: of an icon, the PNG
 * in it. Errors: of detect.ts, header.ts and plan.ts.
 */
export async function openPages(file: Source, limits: Limits, variants: readonly Variant[]) {
  const stated = await detect(file.head, limits.allowSvg);
  const png = stated === 'ico' ? (await import('./bmp/icon.ts')).pngInIcon(file) : null;
  if (png !== null) await detect(png.head, false);
  const source = png ?? file;
  const held = typeof file.input === 'string' ? 0 : file.input.length;
  const last = askedPages(variants).at(-1) ?? 1;
  if (last > 1 && stated !== 'tiff') {
    throw withoutPage(last, `only a TIFF has pages, and this is ${stated}`);
  }
  const pages = new Map<string, Page>();
  let memory = 0;
  const add = (key: string, found: Header, own: readonly Variant[]) => {
    assertPixels(found, plan(found, found.format, own, limits.pixels), limits.pixels);
    pages.set(key, { header: found, most: mostAtOnce(largestPlan(found, own, limits.pixels)) });
    memory = Math.max(memory, estimateMemory(found, { size: file.facts.size, held }, own, limits.pixels));
  };
  const format = png === null ? stated : 'png';
  const mayMove = MOVING.has(format) && (variants.length === 0 || variants.some(moves));
  const whole = mayMove ? await header(source, format, limits, { page: 1, last }, true) : null;
  // The frames of an animation become sRGB.
  if (whole?.animation) add(ALL_FRAMES, { ...whole, profile: null }, variants.filter(moves));
  const stills = whole?.animation ? variants.filter((variant) => !moves(variant)) : variants;
  for (const page of pages.size === 0 && stills.length === 0 ? [1] : askedPages(stills)) {
    const isRead = whole !== null && whole.animation === null;
    const found = isRead ? whole : await header(source, format, limits, { page, last });
    add(
      String(page),
      found,
      stills.filter((variant) => variant.page === page),
    );
  }
  const [first] = pages.values();
  return {
    source,
    format: png === null ? first!.header.format : stated,
    pages,
    first: first!.header,
    memory,
  };
}

/** The key of the page with all frames of an animation. The keys of other pages are their numbers. */
const ALL_FRAMES = 'all frames';

/** Whether a variant has all frames of an animation. */
const moves = ({ format, animated }: Variant): boolean => MOVING.has(format) && animated === 'all';

/** Renders the pages one after the other, and joins the results. In the progress, a page counts by its planned pixels. */
export async function renderPages(
  pages: ReadonlyMap<string, Page>,
  orders: readonly Order[],
  report: ProgressReport | undefined,
  render: (page: Page, orders: readonly Order[], report: ProgressReport) => Promise<Rendered>,
): Promise<Rendered> {
  const keyOf = ({ variant }: Order): string =>
    pages.has(ALL_FRAMES) && moves(variant) ? ALL_FRAMES : String(variant.page);
  const works = [...pages].flatMap(([key, page]) => {
    const own = orders.filter((order) => keyOf(order) === key);
    return own.length === 0 ? [] : [{ page, own, pixels: plannedPixels(page, own) }];
  });
  const closed = orders.map(keyOf).find((key) => !pages.has(key));
  if (closed !== undefined) throw new Error(`page ${closed} is not open`);
  const whole = works.reduce((sum, { pixels }) => sum + pixels, 0);
  const parts: Rendered[] = [];
  const outputs = new Map<Order, Rendered['outputs'][number]>();
  let before = 0;
  for (const { page, own, pixels } of works) {
    const part = await render(page, own, ({ done, share }) =>
      report?.({ done: outputs.size + done, share: (before + share * pixels) / whole }),
    );
    for (const [i, order] of own.entries()) outputs.set(order, part.outputs[i]!);
    before += pixels;
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

/** What `trim` leaves is not known yet. */
function plannedPixels({ header }: Page, orders: readonly Order[]): number {
  const variants = orders.map(({ variant }) => variant);
  const sizes = plan(header, header.format, variants);
  return sizes.reduce((sum, { width, height }) => sum + width * height, 0) * header.pages;
}
