import { vi } from 'vitest';
import type { Event } from '../../src/model.ts';
import { createWatchReport } from '../../src/report/watch-terminal.ts';
import { memoryStream, styleOf, watchSession } from './samples.ts';

/** The report of a watch on a terminal in memory; its clocks are vitest's fake timers. */

export const NOON = new Date(2026, 10, 21, 12, 0, 0).getTime();
export const HOUR = 3_600_000;

const CODES = /\u001b\[[?\d;]*[A-Za-z]|\r/g;

interface Given {
  readonly columns?: number;
  readonly rows?: number;
  readonly unicode?: boolean;
  readonly verbose?: boolean;
  readonly inputs?: readonly string[];
  /** Milliseconds between the last event and the look. */
  readonly after?: number;
}

export function open({
  columns = 80,
  rows = 24,
  unicode = true,
  verbose = false,
  inputs = ['./inbox'],
}: Given = {}) {
  const stream = memoryStream(columns, rows);
  const style = styleOf({ width: columns, unicode });
  const clocks = { clock: () => Date.now(), wallClock: () => Date.now() };
  const report = createWatchReport({ stream, style, inputs, out: './out', verbose, ...clocks });
  /** The lines of the next redraw, without those that it prints for good above them. */
  function screen(): string[] {
    const before = stream.text().length;
    vi.advanceTimersByTime(100);
    const drawn = stream.text().slice(before);
    const lines = drawn.replace(CODES, '').split('\n');
    return lines.slice(
      Math.max(
        0,
        lines.findIndex((text) => text.startsWith('imgtool watch')),
      ),
    );
  }
  return { stream, report, screen };
}

export function screenOf(events: readonly Event[], given: Given = {}): string[] {
  const { report, screen } = open(given);
  for (const event of events) report.event(event);
  vi.setSystemTime(Date.now() + (given.after ?? 0));
  const lines = screen();
  report.close();
  return lines;
}

export function played(events: readonly Event[] = watchSession()) {
  const { report, stream } = open({ columns: 120 });
  for (const event of events) report.event(event);
  report.close();
  return { stream, text: stream.text().replace(CODES, '') };
}
