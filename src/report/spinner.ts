import ora from 'ora';
import type { Style } from '../model.ts';
import { createFrame } from './frame.ts';
import { columnsOf, lookOf } from './look.ts';
import { cut } from './text.ts';
import './widths.ts';

const INTERVAL = 80;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

export interface Spinner {
  text(text: string): void;
  /** Takes it away and gives the cursor back. May be called twice. */
  close(): void;
}

/**
 * Turns until closed. ora draws each frame but is never started: its own timer would keep the process alive, its hooks
 * rewrite the standard streams, and its cursor guard listens to signals.
 */
export function openSpinner(stream: NodeJS.WritableStream, style: Style): Spinner {
  const { chalk, ellipsis } = lookOf(style);
  const frames = style.unicode ? [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'] : ['-', '\\', '|', '/'];
  const frame = createFrame(stream, style);
  const spinner = ora({
    stream: frame.target,
    color: false,
    discardStdin: false,
    hideCursor: false,
    isEnabled: true,
    spinner: { interval: INTERVAL, frames: frames.map((one) => ` ${chalk.cyan(one)}`) },
  });
  let said = '';
  const draw = () => {
    // The width is read each time; 4 columns are the frame, its blanks and the last column.
    spinner.text = cut(said, Math.max(0, columnsOf(style) - 4), ellipsis);
    spinner.render();
    frame.flush();
  };
  const restore = () => stream.write(SHOW_CURSOR);
  const timer = setInterval(draw, INTERVAL);
  timer.unref();
  stream.write(HIDE_CURSOR);
  process.once('exit', restore);
  let open = true;
  return {
    text(text) {
      const first = said === '';
      said = text;
      if (open && first) draw();
    },
    close() {
      if (!open) return;
      open = false;
      clearInterval(timer);
      process.removeListener('exit', restore);
      spinner.stop();
      frame.flush();
      stream.write(SHOW_CURSOR);
    },
  };
}
