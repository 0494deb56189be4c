import { doneOf, totalOf } from '../model/totals.ts';
import type { Batch, JobRecord, Style } from '../model.ts';
import { liveLayoutFor } from './layout.ts';
import { createPace } from './progress.ts';
import { statusText } from './status.ts';
import { cutStart, printable, textOf } from './text.ts';
import { progressLine } from './view.ts';

/** Columns of a name, below which the finished variants are left out. */
const LEAST_NAME = 20;

/**
 * The page of `status --watch` on a terminal: that of `status` with bar, speed, time left and images in work. While the
 * batch runs, the page has at most `rows` lines less one, so that the next page can replace it.
 */
export function createFollower(rows: () => number) {
  const paces = { images: createPace(15_000), work: createPace(60_000) };
  return (
    inWork: readonly JobRecord[],
    ...[batch, jobs, style, now, parts]: Parameters<typeof statusText>
  ) => {
    if (batch.state !== 'running') return statusText(batch, jobs, style, now, parts);
    const live = ['', ...followLines(batch, inWork, paces, style, now)];
    const page = statusText(batch, jobs, style, now, { ...parts, live }).split('\n');
    return textOf(page.slice(0, Math.max(1, Math.min(page.length, rows()) - 1)));
  };
}

function followLines(
  batch: Batch,
  inWork: readonly JobRecord[],
  paces: Readonly<Record<'images' | 'work', ReturnType<typeof createPace>>>,
  style: Style,
  now: number,
): string[] {
  const { counts, command, walkEnded, jobs } = batch;
  const layout = liveLayoutFor(style);
  const [done, found] = [doneOf(counts), totalOf(counts)];
  // The finished variants of an image count as their share of the image.
  const work = inWork.reduce((sum, { part }) => sum + (part?.share ?? 0), done);
  paces.images.before(now, done);
  paces.work.before(now, work);
  const perSecond = paces.work.rate(now, work);
  const left = perSecond === null ? null : ((found - work) / perSecond) * 1000;
  // More sources may always come to a watch.
  const total = walkEnded && command !== 'watch' ? found : null;
  // Jobs are taken ahead, in the order of their numbers: the first ones are in work.
  const current = inWork.toSorted((a, b) => a.id - b.id).slice(0, jobs);
  const names = current.map(({ source, part }) => {
    const made = part === null ? '' : `  ${part.done} of ${part.total}`;
    const room = layout.columns - 3 - made.length;
    if (room < LEAST_NAME) return cutStart(printable(source), layout.columns - 3, layout.ellipsis);
    return cutStart(printable(source), room, layout.ellipsis) + made;
  });
  return [
    progressLine(
      {
        ...{ done, total, found, left, isRemoving: false, rate: paces.images.rate(now, done) },
        share: found === 0 ? 0 : work / found,
      },
      layout,
    ),
    ...(names.length === 0 ? [] : ['', ...names.map((name) => `   ${name}`)]),
  ];
}
