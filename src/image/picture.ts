import type { Limits, Order, PictureFacts, RenderedOutput, SourceFile, Variant } from '../model.ts';
import { hasMetadata } from '../variants/words.ts';
import { contentOfFrames, isMoving } from './animation/frames.ts';
import { area } from './decoding-memory.ts';
import { IN_MEMORY, openSource, type Source } from './open.ts';
import { openPages, type ProgressReport, renderPages } from './pages.ts';
import { assertPixels, type Geometry, plan } from './plan.ts';
import { signalOfProfile } from './signal/icc.ts';
import { geometryKey, type OpenPicture, type Spent, sizedFor, timed } from './sized.ts';
import { EIGHT_BITS, toSrgb } from './steps/correct.ts';
import { decode } from './steps/decode.ts';
import { encode, write } from './steps/encode.ts';
import { finished } from './steps/finish.ts';
import { dominantColor, STILL } from './steps/frames.ts';
import type { Header } from './steps/header.ts';
import { contentOf, trimsOf } from './steps/trim.ts';
import { ENCODER } from './vips.ts';

/** The picture that is open in a child process; at most one at a time. */
export type Picture = Awaited<ReturnType<typeof openPicture>>;

/** Opens a picture and estimates the memory for these variants. Errors: those of open.ts, detect.ts and header.ts. */
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
    const { facts, digest, close } = source;
    const opened = await openPages(source, limits, variants);
    const { format, memory, first } = opened;
    const { width, height, pagesInFile: pages } = first;
    return {
      facts: { facts, digest, format, width, height, pages, memory, ms } satisfies PictureFacts,
      /** Encodes at most `atOnce` outputs at the same time. */
      render: (orders: readonly Order[], atOnce = Number.POSITIVE_INFINITY, report?: ProgressReport) =>
        // Keep to the memory estimate, which covers all variants, even when `orders` contains fewer.
        renderPages(opened.pages, orders, report, ({ header, most }, own, progress) =>
          render({ source: opened.source, header, limits }, own, Math.min(atOnce, most), progress),
        ),
      /** Closes the file. Do not call during a render. Can be called twice. */
      close,
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Writes metadata into encoded outputs, and says what was written. Loads the code for it only when a variant has some. */
async function metadataWriter(open: OpenPicture, variants: readonly Variant[]) {
  if (!variants.some(hasMetadata)) return async (bytes: Buffer) => ({ bytes, metadata: null });
  const { openMetadata } = await import('./kept/writer.ts');
  return openMetadata(open, variants);
}

/** Threads that libaom uses for one picture. */
const AVIF_THREADS = 4;

/**
 * Renders all orders and writes each output to its staged file. Variants with the same base share one decode. At most
 * `atOnce` outputs are encoded at the same time. When the promise rejects, no write is in progress. Errors: `corrupt`,
 * `unsupported_format`, `source_changed`, those of writing.
 */
async function render(open: OpenPicture, orders: readonly Order[], atOnce: number, report: ProgressReport) {
  const { source, header, limits } = open;
  const variants = orders.map(({ variant }) => variant);
  const started = performance.now();
  const contentIn = async (region: Geometry['base']['region']) => {
    if (isMoving(header)) return contentOfFrames(header, region, limits);
    const { width, height } = region ?? header;
    return contentOf((await decode(source, header, { width, height, region, zoom: 1 }, limits)).frames);
  };
  const geometries = plan(
    header,
    header.format,
    variants,
    limits.pixels,
    await trimsOf(header, variants, contentIn),
  );
  assertPixels(header, geometries, limits.pixels);
  const withMetadata = await metadataWriter(open, variants);
  const spent: Spent = { resize: 0, write: 0 };
  const { pixelsFor, degraded, share } = await sizedFor(open, geometries, spent, report);
  await source.assertUnchanged();
  const decoded = performance.now();
  const outputs = new Map<Order, RenderedOutput>();
  const groups = groupsOf(orders, geometries);
  const whole = groups.reduce((sum, { geometry }) => sum + area(geometry), 0);
  let made = 0;
  const works = groups.map(({ geometry, same }) => async () => {
    const { variant } = same[0]!;
    const picture = await pixelsFor(geometry);
    const pipeline = await finished(picture, geometry, variant);
    const isOwn = geometry.base.isOwn === true;
    const png = pngOf(source, header, geometry);
    const { data, ...size } = await encode(pipeline, variant, png, picture, isOwn);
    const { bytes, metadata } = await withMetadata(data, size, variant, isOwn);
    for (const order of same) {
      const written = await timed(spent, 'write', () => write(bytes, size, order));
      outputs.set(order, { ...written, metadata });
    }
    made += area(geometry);
    report({ done: outputs.size, share: share + (1 - share) * (made / whole) });
  });
  // An AVIF encoder uses several threads.
  const threads = variants.some(({ format }) => format === 'avif') ? AVIF_THREADS : 1;
  await runConcurrently(works, Math.max(1, Math.floor(atOnce / threads)));
  const least = await pixelsFor(smallest(geometries));
  const encoded = performance.now();
  const color = inSrgb(dominantColor(least), smallest(geometries).base.isOwn ? header.profile : null);
  const ended = performance.now();
  return {
    outputs: orders.map((order, i) => {
      const { asked } = geometries[i]!;
      return { ...outputs.get(order)!, ...(asked === null ? {} : { asked }) };
    }),
    dominantColor: color,
    encoder: ENCODER,
    degraded,
    ms: { decode: decoded - started, encode: ended - decoded, ...spent, color: ended - encoded },
  };
}

const SIZES = ['width', 'height', 'fit', 'scale', 'enlarge', 'ratio', 'position', 'linear'] as const;

/** The name, and fields that have their whole effect in the geometry. */
const GEOMETRIC: ReadonlySet<string> = new Set<keyof Variant>([
  ...(['name', 'page', 'crop', 'trim', 'animated'] as const),
  ...SIZES,
]);

/** Groups orders with byte-identical outputs, such as several sizes of a picture that is too small for them. */
function groupsOf(orders: readonly Order[], geometries: readonly Geometry[]) {
  const groups = new Map<string, { readonly geometry: Geometry; readonly same: Order[] }>();
  for (const [i, order] of orders.entries()) {
    const geometry = geometries[i]!;
    const settings = Object.entries(order.variant).filter(([key]) => !GEOMETRIC.has(key));
    const key = `${geometryKey(geometry)} ${JSON.stringify(settings)}`;
    const group = groups.get(key) ?? { geometry, same: [] };
    group.same.push(order);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The source's bytes when it is a PNG of the variant's size. */
function pngOf({ input }: Source, { format, width, height }: Header, one: Geometry): Buffer | null {
  if (format !== 'png' || typeof input === 'string') return null;
  return one.width === width && one.height === height ? input : null;
}

/** A colour `#rrggbb` of a picture in the colours of this profile, as sRGB. A profile of tables leaves it as it is. */
function inSrgb(color: string, profile: Buffer | null): string {
  const signal = profile && signalOfProfile(profile, 'rgb');
  if (signal === null) return color;
  const data = Buffer.from(color.slice(1), 'hex');
  const pixel = { data, width: 1, height: 1, channels: 3, ...STILL, range: EIGHT_BITS } as const;
  return `#${toSrgb(pixel, signal).data.toString('hex')}`;
}

const smallest = (geometries: readonly Geometry[]): Geometry =>
  geometries.reduce((min, each) => (area(each) < area(min) ? each : min));

/** Runs all works, `concurrency` at a time. Rejects only after every started work has ended. */
async function runConcurrently(works: readonly (() => Promise<void>)[], concurrency: number): Promise<void> {
  // Unlike an array's iterator, a generator ends when a loop over it throws, and so the other loops end too.
  const left = (function* () {
    yield* works;
  })();
  const loops = Array.from({ length: concurrency }, async () => {
    for (const work of left) await work();
  });
  await Promise.allSettled(loops);
  await Promise.all(loops);
}
