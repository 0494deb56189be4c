import { clearScreenDown, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import ora, { spinners } from 'ora';
import stringWidth from 'string-width';
import type { Style } from '../model.ts';
import { layoutFor } from './layout.ts';
import { cut, measureWith, width } from './text.ts';

measureWith(stringWidth);

/** Milliseconds between two redraws. */
const INTERVAL = 100;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/** A terminal; its `rows` are read at each redraw, its columns through the style. */
export type TerminalStream = NodeJS.WritableStream & { readonly rows?: number };

/**
 * Lines at the foot of a terminal that are drawn again and again, below the lines that stay. Its timer does not keep the
 * process alive.
 */
export function createLiveDisplay(stream: TerminalStream, style: Style) {
  let state: 'idle' | 'drawing' | 'closed' = 'idle';
  let lines: () => readonly string[] = () => [];
  let drawn: readonly string[] = [];
  let drawnAt = 0;
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const { target, flush } = gatherWrites(stream, style);
  // Without `showCursor`, log-update hides the cursor of stderr, whatever the stream, and listens to signals.
  const update = createLogUpdate(target, { showCursor: true });

  function printWaiting(): void {
    for (const text of waiting) target.write(`${text}\n`);
    waiting = [];
  }

  /** A terminal that became narrower has broken the drawn lines into more rows. */
  function erase(): void {
    const columns = style.columns();
    const rows = drawn.reduce((sum, text) => sum + Math.max(1, Math.ceil(width(text) / columns)), 0);
    moveCursor(target, 0, drawn.length - rows);
    update.clear();
    if (rows > 0) clearScreenDown(target);
    drawn = [];
  }

  function draw(): void {
    // After an empty line at the end of a change, log-update 7.2 loses the row of the cursor.
    const next = lines().map((text) => text || ' ');
    const columns = style.columns();
    const isOtherHeight = next.length !== drawn.length;
    const isSame = !isOtherHeight && columns === drawnAt && next.every((text, at) => text === drawn[at]);
    if (isSame && waiting.length === 0) return;
    // log-update 7.2 does not move the lines that follow an added or removed one.
    if (waiting.length > 0 || isOtherHeight || columns < drawnAt) erase();
    printWaiting();
    [drawn, drawnAt] = [next, columns];
    update(`${drawn.join('\n')}\n`);
    flush();
  }

  /** Removes the live lines and shows the cursor. Safe to call twice; `print` still prints afterwards. */
  function close(): void {
    if (state === 'drawing') {
      clearInterval(timer);
      process.removeListener('exit', close);
      erase();
      printWaiting();
      target.write(SHOW_CURSOR);
      flush();
    }
    state = 'closed';
  }

  return {
    /** From now on draws what `next` returns, ten times a second. Each line must leave the last column free. */
    show(next: () => readonly string[]): void {
      if (state === 'closed' || lines === next) return;
      lines = next;
      if (state === 'idle') {
        state = 'drawing';
        target.write(HIDE_CURSOR);
        // A process that ends early must not leave a terminal without a cursor.
        process.once('exit', close);
        timer = setInterval(draw, INTERVAL).unref();
      }
      draw();
    },
    /** Prints lines that stay, above the live ones. */
    print(texts: readonly string[]): void {
      if (texts.length === 0) return;
      waiting.push(...texts);
      if (state === 'drawing') return;
      printWaiting();
      flush();
    },
    close,
  };
}

/** The lines that fit on the terminal: 24 where its size is unknown. */
export function rowsOf({ rows }: TerminalStream): number {
  return rows || 24;
}

/** A line with a text behind a spinner that has turned a bit each time. */
export function createSpinner(style: Style): (text: string) => string {
  const { chalk, ellipsis, unicode } = layoutFor(style);
  const { frames } = unicode ? spinners.dots : spinners.line;
  // ora never starts: its timer keeps the process alive, and it listens to signals and patches standard streams.
  const spinner = ora({
    isEnabled: false,
    color: false,
    spinner: { interval: INTERVAL / 2, frames: frames.map((frame) => chalk.cyan(frame)) },
  });
  return (text) => {
    // The frame, its blanks and the last column take 4 columns.
    spinner.text = cut(text, Math.max(0, style.columns() - 4), ellipsis);
    return ` ${spinner.frame()}`;
  };
}

/** A terminal in front of the terminal: it passes a whole redraw on in one write, so that nothing flickers. */
function gatherWrites(stream: TerminalStream, style: Style) {
  let text = '';
  const target = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      text += chunk;
      done();
    },
  });
  // A terminal of unknown size reports 0 columns and rows, for which log-update draws nothing.
  Object.defineProperties(target, {
    isTTY: { value: true },
    columns: { get: () => style.columns() },
    rows: { get: () => rowsOf(stream) },
  });
  return {
    target,
    flush() {
      if (text !== '') stream.write(text);
      text = '';
    },
  };
}
