import { vi } from 'vitest';
import type { Event } from '../../src/model.ts';
import { createWatchReport } from '../../src/report/terminal.ts';
import { memoryStream, styleOf, watchSession } from './samples.ts';
import { openScreen } from './screen.ts';

/** The report of a watch on a terminal in memory. Its clocks are vitest's fake timers. */

export const NOON = new Date(2026, 10, 21, 12, 0, 0).getTime();
export const HOUR = 3_600_000;

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
  // A test that sets the time of day moves the other clock too.
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now());
  const report = createWatchReport({ stream, style, inputs, out: './out', verbose });
  /** The live lines after the next redraw. */
  function screen(): string[] {
    vi.advanceTimersByTime(100);
    const terminal = openScreen(columns);
    terminal.write(stream.text());
    const lines = terminal.lines().slice(0, -1);
    return lines.slice(
      Math.max(
        0,
        lines.findLastIndex((text) => text.startsWith('imgtool watch')),
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
  const terminal = openScreen(120);
  terminal.write(stream.text());
  return { stream, text: terminal.lines().join('\n') };
}
