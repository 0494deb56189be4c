import type { Limits, PixelSize } from '../../model.ts';
import type { Geometry } from '../plan.ts';
import type { Region } from '../region.ts';
import { turned } from '../steps/correct.ts';
import { type Frames, from, raw, STILL } from '../steps/frames.ts';
import type { Header } from '../steps/header.ts';
import { contentPlace, resize } from '../steps/resize.ts';
import { boundsOf, isAll } from '../steps/trim.ts';
import type { Animation } from './animation.ts';
import { type Shown, shownFrames } from './compose.ts';

/** The header of an animation whose frames are wanted. */
export type MovingHeader = Header & { readonly animation: Animation };

export const isMoving = (header: Header): header is MovingHeader => header.animation !== null;

/** Receives the share of the frames that are done, from 0 to 1. */
type FrameReport = (share: number) => void;

/**
 * Resizes each frame to each geometry as soon as it is decoded: the frames of full size are never in memory together. The
 * result is in the order of the geometries. Errors: those of unreadable.ts.
 */
export async function resizedFrames(
  header: MovingHeader,
  geometries: readonly Geometry[],
  limits: Limits,
  report: FrameReport,
) {
  const { animation } = header;
  const count = animation.frames.length;
  const made: Frames[] = [];
  let placed = geometries;
  let degraded = false;
  let done = 0;
  for await (const shown of uprightFrames(header, limits)) {
    degraded ||= shown.degraded;
    if (done === 0) placed = await Promise.all(geometries.map((one) => withPlace(shown.page, one)));
    for (const [i, geometry] of placed.entries()) {
      const page = await resize(await regionOf(shown.page, geometry.base.region), geometry);
      made[i] ??= spaceFor(page, animation);
      page.data.copy(made[i].data, done * page.data.length);
    }
    done++;
    report(done / count);
  }
  return { made, degraded };
}

/** The smallest part of this region with the content of all frames; null when that is all of it. */
export async function contentOfFrames(header: MovingHeader, region: Region | null, limits: Limits) {
  let content: Region | null = null;
  for await (const { page } of uprightFrames(header, limits)) {
    content = around(content, boundsOf(await regionOf(page, region)));
  }
  return content === null || isAll(content, region ?? header) ? null : content;
}

async function* uprightFrames(header: MovingHeader, { lenient }: Limits): AsyncGenerator<Shown> {
  const { animation, orientation, width, height } = header;
  const stored: PixelSize = orientation > 4 ? { width: height, height: width } : { width, height };
  for await (const { page, degraded } of shownFrames(animation, stored, lenient)) {
    yield { page: orientation > 1 ? await raw(turned(from(page), orientation)) : page, degraded };
  }
}

const regionOf = async (page: Frames, region: Region | null): Promise<Frames> =>
  region === null ? page : raw(from(page).extract(region));

/** Leaves the choice of a cut by content to the first frame: the picture must not jump. */
async function withPlace(first: Frames, geometry: Geometry): Promise<Geometry> {
  const { cut, base } = geometry;
  if (cut === null || typeof cut.at !== 'string') return geometry;
  return {
    ...geometry,
    cut: { ...cut, at: await contentPlace(await regionOf(first, base.region), geometry, cut.at) },
  };
}

function spaceFor(page: Frames, { frames, loop }: Animation): Frames {
  const timing =
    frames.length > 1 ? { pages: frames.length, delays: frames.map(({ delay }) => delay), loop } : STILL;
  return { ...page, ...timing, data: Buffer.allocUnsafe(page.data.length * frames.length) };
}

function around(one: Region | null, other: Region | null): Region | null {
  if (one === null || other === null) return one ?? other;
  const [left, top] = [Math.min(one.left, other.left), Math.min(one.top, other.top)];
  const right = Math.max(one.left + one.width, other.left + other.width);
  const bottom = Math.max(one.top + one.height, other.top + other.height);
  return { left, top, width: right - left, height: bottom - top };
}
