import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLiveDisplay, createSpinner } from '../../src/report/live.ts';
import { memoryStream, styleOf } from './samples.ts';
import { openScreen } from './screen.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A display on a terminal of 40 columns; `see` waits for a redraw and returns what a person sees. */
function open() {
  let [columns, seen] = [40, 0];
  const stream = memoryStream(columns);
  const style = { ...styleOf(), columns: () => columns };
  const display = createLiveDisplay(stream, style);
  const screen = openScreen(columns);
  const feed = () => {
    screen.write(stream.text().slice(seen));
    seen = stream.text().length;
    return screen.lines();
  };
  return {
    ...{ stream, display, screen, feed },
    see() {
      vi.advanceTimersByTime(100);
      return feed();
    },
    resize(to: number) {
      columns = to;
      screen.resize(to);
    },
  };
}

describe('the live display', () => {
  it('keeps printed lines above the live ones, in their order', () => {
    const { display, see } = open();
    display.print(['first']);
    display.show(() => ['live 1', 'live 2']);
    expect(see()).toEqual(['first', 'live 1', 'live 2', '']);
    display.print(['second', 'third']);
    display.print(['fourth']);
    expect(see()).toEqual(['first', 'second', 'third', 'fourth', 'live 1', 'live 2', '']);
    display.close();
  });

  it('prints more lines at once than the terminal has rows', () => {
    const { display, see } = open();
    display.show(() => ['live']);
    const many = Array.from({ length: 100 }, (_, at) => `line ${at}`);
    display.print(many);
    expect(see()).toEqual([...many, 'live', '']);
    display.close();
  });

  it('shows changed, added and removed lines without remains of the former ones', () => {
    const { display, see } = open();
    const frames = [
      ['head', 'a long line', 'b'],
      ['head', 'short', 'b'],
      ['head', 'short', 'b', 'c', 'd'],
      ['head', 'inserted', 'short', 'b', 'c', 'd'],
      ['head', 'short', 'b', 'c', 'd'],
      ['head', 'e'],
      ['other'],
      ['写真写真', 'x', ''],
      ['head', 'a long line', 'b'],
      ['head', 'a', ''],
      ['head', 'another', ''],
      ['head', '', ''],
      ['other', '', 'c'],
    ];
    let at = 0;
    display.show(() => frames[at] ?? []);
    for (at = 0; at < frames.length; at++) expect(see()).toEqual([...(frames[at] ?? []), '']);
    display.close();
  });

  it('keeps the lines above it when the last lines become empty, as places do while a batch stops', () => {
    const { display, see, feed } = open();
    const frames = [
      ['head', '', 'bar 1', 'a', 'b', 'c'],
      ['head', '', 'bar 2', 'a', 'b', ''],
      ['head', '', 'bar 3', 'a', '', ''],
      ['head', '', 'bar 4', '', '', ''],
      ['head', '', 'bar 5', 'd', '', ''],
    ];
    let at = 0;
    display.print(['above']);
    display.show(() => frames[at] ?? []);
    for (at = 0; at < frames.length; at++) expect(see()).toEqual(['above', ...(frames[at] ?? []), '']);
    display.close();
    expect(feed()).toEqual(['above', '']);
  });

  it('leaves no remains on a terminal that becomes narrower or wider', () => {
    const { display, see, resize } = open();
    let lines = ['x'.repeat(39), 'y'.repeat(30), 'z'];
    display.print(['above']);
    display.show(() => lines);
    expect(see()).toEqual(['above', ...lines, '']);
    resize(15);
    lines = lines.map((text) => text.slice(0, 14));
    expect(see()).toEqual(['above', ...lines, '']);
    resize(80);
    lines = ['x'.repeat(79), 'w'];
    expect(see()).toEqual(['above', ...lines, '']);
    display.close();
  });

  it('writes each redraw at once, and nothing when nothing has changed', () => {
    const { display, stream } = open();
    let n = 0;
    display.show(() => [`${n}`, 'x']);
    const writes = vi.spyOn(stream, 'write');
    vi.advanceTimersByTime(1000);
    expect(writes).not.toHaveBeenCalled();
    n++;
    display.print(['a', 'b']);
    vi.advanceTimersByTime(1000);
    expect(writes).toHaveBeenCalledTimes(1);
    display.close();
  });

  it('removes the live lines when it is closed, shows the cursor, and still prints', () => {
    const { display, see, screen, feed } = open();
    display.show(() => ['live']);
    see();
    expect(screen.isCursorShown()).toBe(false);
    display.print(['waiting']);
    display.close();
    display.close();
    display.show(() => ['never']);
    display.print(['after']);
    expect(feed()).toEqual(['waiting', 'after', '']);
    expect(screen.isCursorShown()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('prints what waits and shows the cursor when the process ends without closing it', () => {
    const { display, screen, see, feed } = open();
    const before = process.listeners('exit');
    display.show(() => ['live']);
    see();
    display.print(['waiting']);
    for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener(1);
    expect(feed()).toEqual(['waiting', '']);
    expect(screen.isCursorShown()).toBe(true);
    expect(process.listeners('exit')).toEqual(before);
  });

  it('leaves the terminal in order while the process is suspended, and is drawn again afterwards', () => {
    const { stream, display, screen, see } = open();
    let text = 'live 1';
    display.print(['first']);
    display.show(() => [text]);
    expect([see(), screen.isCursorShown()]).toEqual([['first', 'live 1', ''], false]);
    stream.emit('suspend');
    text = 'live 2';
    display.print(['second']);
    expect([see(), screen.isCursorShown()]).toEqual([['first', ''], true]);
    stream.write('$ fg\n');
    stream.emit('continue');
    expect([see(), screen.isCursorShown()]).toEqual([['first', '$ fg', 'second', 'live 2', ''], false]);
    stream.emit('suspend');
    display.print(['third']);
    display.close();
    expect([see(), screen.isCursorShown()]).toEqual([['first', '$ fg', 'second', 'third', ''], true]);
    stream.emit('continue');
    expect([see().length, stream.listenerCount('continue')]).toEqual([5, 0]);
  });

  it('leaves signals alone', () => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP', 'SIGCONT'] as const;
    const count = () => signals.map((signal) => process.listenerCount(signal));
    const before = count();
    const { display, see } = open();
    const spin = createSpinner(styleOf());
    display.show(() => [spin('text')]);
    see();
    expect(count()).toEqual(before);
    display.close();
  });
});

describe('the spinner', () => {
  it.each([
    [true, / [⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Looking for ima…/],
    [false, / [-\\|/] Looking for i\.\.\.$/],
  ])('turns and cuts its text to the terminal (Unicode: %s)', (unicode, expected) => {
    const spin = createSpinner(styleOf({ width: 20, unicode }));
    const frames = Array.from({ length: 4 }, () => {
      vi.advanceTimersByTime(100);
      return spin('Looking for images');
    });
    for (const frame of frames) expect(frame).toMatch(expected);
    expect(new Set(frames).size).toBe(4);
  });
});
