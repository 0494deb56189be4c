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

  it('leaves signals alone', () => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGCONT'] as const;
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
