import type { BatchFinished, Event, Report, Style } from '../model.ts';
import { fixLines } from './failures.ts';
import { age, count } from './format.ts';
import { lookOf, paintOf, roomOf } from './look.ts';
import { noticeLines } from './notices.ts';
import { createProgress } from './progress.ts';
import { createRecent } from './recent.ts';
import { openScreen, type Screen } from './screen.ts';
import { nextOfWatch } from './summary.ts';
import { wrap } from './text.ts';
import { createToday } from './today.ts';
import { leftOf, SETTLED, totalOf } from './totals.ts';
import { watchLines } from './watch-view.ts';
import { endedEarly, watchEnd } from './wording.ts';

interface WatchReportOptions {
  /** A terminal; its `rows` are read anew at each redraw, its columns through the style. */
  readonly stream: NodeJS.WritableStream & { readonly rows?: number };
  readonly style: Style;
  /** Folders that are watched and where outputs go, as given. */
  readonly inputs: readonly string[];
  readonly out: string;
  /** Also what was passed over or unchanged from the start. */
  readonly verbose: boolean;
  /** Milliseconds since any moment. */
  readonly clock?: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock?: () => number;
}

/** What a person sees of a watch: a live part as long as it runs, what went wrong above it, and how it ended. */
export function createWatchReport(options: WatchReportOptions): Report {
  const { stream, style, inputs, out, verbose } = options;
  const { clock = () => performance.now(), wallClock = Date.now } = options;
  const since = clock();
  const progress = createProgress();
  const today = createToday(progress, wallClock());
  const recent = createRecent({ inputs, verbose });
  let screen: Screen | null = null;
  let closed = false;
  let heard = 0;
  let drawn: { state: string; lines: readonly string[] } = { state: '', lines: [] };

  function lines(): readonly string[] {
    if (today.turn(wallClock())) heard++;
    const view = { inputs, out, style, up: clock() - since, rows: stream.rows || 24 };
    // Asked ten times a second for months: worked out anew only where something can have changed.
    const state = `${heard} ${age(view.up)} ${view.rows} ${style.columns()}`;
    if (state !== drawn.state) {
      const shown = watchLines(progress, { ...view, today: today.figures(), recent: recent.entries });
      drawn = { state, lines: shown };
    }
    return drawn.lines;
  }

  function print(texts: readonly string[]): void {
    if (texts.length === 0) return;
    if (screen !== null && !closed) screen.above(texts);
    else stream.write(texts.map((text) => `${text}\n`).join(''));
  }

  function close(): void {
    screen?.close();
    closed = true;
  }

  return {
    event(event) {
      heard++;
      today.turn(wallClock());
      progress.event(event, clock());
      recent.event(event, wallClock(), progress.watching !== null);
      print(lastingLines(event, style));
      if (event.type === 'walk' || event.type === 'batch.started') {
        if (!closed) screen ??= openScreen({ stream, style, lines });
      } else if (event.type === 'batch.finished') {
        close();
        print(['', ...closingLines(event, progress.stopping !== null, style)]);
      }
    },
    close,
  };
}

/** What stays above the live part: it has no summary in which it could be read later. */
function lastingLines(event: Event, style: Style): string[] {
  const fix = event.type === 'job' ? event.error?.fix : undefined;
  return [...noticeLines(event, false, style), ...fixLines(fix, roomOf(style) - 1, '   ', lookOf(style))];
}

function closingLines(finished: BatchFinished, stopping: boolean, style: Style): string[] {
  const look = lookOf(style);
  const room = roomOf(style);
  const { counts, ms } = finished;
  const end = watchEnd(finished, stopping);
  const state = end === 'finished' ? 'completed' : 'cancelled';
  const left = leftOf(counts);
  const parts = [
    ...SETTLED.filter((one) => one === 'completed' || counts[one] > 0).map(
      (one) => `${count(counts[one])} ${one}`,
    ),
    ...(left > 0 ? [`${count(left)} pending`] : []),
  ];
  const what = totalOf(counts) === 0 ? 'no images' : parts.join(', ');
  const text = `${end.charAt(0).toUpperCase()}${end.slice(1)} after ${age(ms)}: ${what}.`;
  const mark = ` ${look.marks[state]} `;
  const indent = ' '.repeat(mark.length);
  const tells = counts.failed > 0 || endedEarly(finished) !== null;
  return [
    ...wrap(text, room - mark.length).map((part, at) => {
      return `${at === 0 ? paintOf(state, look)(mark) : indent}${part}`;
    }),
    ...(tells ? nextOfWatch(finished, room, look) : []),
  ];
}
