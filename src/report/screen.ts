import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import type { Style } from '../model.ts';
import { createFrame } from './frame.ts';
import { columnsOf } from './look.ts';
import { width } from './text.ts';
import './widths.ts';

const FRAMES_PER_SECOND = 10;
const CLEAR_REST_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\r\u001b[J';
const SHOW_CURSOR_AND_WRAP = '\u001b[?25h\u001b[?7h';

interface ScreenOptions {
  readonly stream: NodeJS.WritableStream;
  readonly style: Style;
  /** What is to be seen now. */
  readonly lines: () => readonly string[];
}

/** A live part at the foot of a terminal. */
export interface Screen {
  /** Prints lines above it, for good. */
  above(lines: readonly string[]): void;
  /** Takes it away and gives the cursor back. May be called twice. */
  close(): void;
}

/** Draws `lines()` about ten times a second until closed. Its timer keeps no process alive. */
export function openScreen({ stream, style, lines }: ScreenOptions): Screen {
  const frame = createFrame(stream, style);
  const live = new LiveLines(frame.target, lines, () => columnsOf(style));
  live.on('update-post', frame.flush);
  live.on('stop', frame.flush);
  // Whatever ends the process without closing the report must not leave a shell without a cursor.
  const restore = () => stream.write(SHOW_CURSOR_AND_WRAP);
  process.once('exit', restore);
  live.update();
  let open = true;
  return {
    above(texts) {
      if (!open) return;
      frame.forget();
      for (const text of texts) live.log(`${text}${CLEAR_REST_OF_LINE}\n`);
    },
    close() {
      if (!open) return;
      open = false;
      live.update();
      live.stop();
      process.removeListener('exit', restore);
    },
  };
}

/** One bar of cli-progress for each line, as many as there are at the moment. */
class LiveLines extends cliProgress.MultiBar {
  // All three are there in cli-progress 3.12 (lib/multi-bar.js), though not in its types.
  declare readonly bars: cliProgress.SingleBar[];
  declare readonly timer: NodeJS.Timeout | null;
  declare readonly terminal: { dy: number };
  readonly #lines: () => readonly string[];
  readonly #columns: () => number;
  readonly #target: Writable;
  #shown: readonly string[] = [];
  #drawnAt = 0;

  constructor(target: Writable, lines: () => readonly string[], columns: () => number) {
    // forceRedraw: it would leave out lines that have not changed, also where text printed above has moved them.
    super({
      stream: target,
      fps: FRAMES_PER_SECOND,
      hideCursor: true,
      clearOnComplete: true,
      forceRedraw: true,
      emptyOnZero: true,
    });
    this.#lines = lines;
    this.#columns = columns;
    this.#target = target;
  }

  override update(): void {
    const shown = this.#lines();
    const columns = this.#columns();
    if (columns < this.#drawnAt || shown.length < this.bars.length) this.#startOver(columns);
    this.#shown = shown;
    this.#drawnAt = columns;
    this.bars.length = Math.min(this.bars.length, shown.length);
    while (this.bars.length < shown.length) {
      const at = this.bars.length;
      this.create(1, 0, {}, { format: () => this.#shown[at] ?? '' });
    }
    super.update();
    this.timer?.unref();
  }

  /** A terminal that became narrower has broken what stood there into more lines than were drawn. */
  #startOver(columns: number): void {
    const rows = this.#shown.reduce((sum, text) => sum + Math.max(1, Math.ceil(width(text) / columns)), 0);
    if (rows > 1) this.#target.write(`\u001b[${rows - 1}A`);
    this.#target.write(CLEAR_BELOW);
    this.terminal.dy = 0;
  }
}
