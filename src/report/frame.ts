import { clearLine, cursorTo, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';
import type { Style } from '../model.ts';
import { columnsOf } from './look.ts';

/**
 * A terminal as the drawing libraries want to see it. Gathers the many small writes of one redraw into one, drops a
 * redraw that would show the same again, and always has columns: a terminal of unknown size says 0, by which ora
 * would divide and clear lines for ever.
 */
export function createFrame(stream: NodeJS.WritableStream, style: Style) {
  let pending = '';
  let last = '';
  const target: Writable = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      pending += chunk;
      done();
    },
  });
  Object.defineProperties(target, {
    isTTY: { value: true },
    columns: { get: () => columnsOf(style) },
    cursorTo: { value: (x: number) => cursorTo(target, x) },
    clearLine: { value: (direction: -1 | 0 | 1) => clearLine(target, direction) },
    moveCursor: { value: (x: number, y: number) => moveCursor(target, x, y) },
  });
  return {
    target,
    /** The next redraw prints something, were it the same as the last did. */
    forget() {
      last = '';
    },
    flush() {
      if (pending !== last) stream.write(pending);
      [last, pending] = [pending, ''];
    },
  };
}
