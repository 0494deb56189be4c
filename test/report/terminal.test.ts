import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../src/model.ts';
import { styleOf as styleFor } from '../../src/report/open.ts';
import { profileLines } from '../../src/report/profile.ts';
import { createTerminalReport } from '../../src/report/terminal.ts';
import { failedOf, jobOf, memoryStream, PROFILE, session, styleOf } from './samples.ts';

const MODE = { verbose: false, listsPaths: false };
const [HIDE, SHOW] = ['\u001b[?25l', '\u001b[?25h'];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the report on a terminal', () => {
  it('hides the cursor once and shows it when the batch ends', () => {
    const { text } = play(session());
    expect(text.split(HIDE)).toHaveLength(2);
    expect(text.lastIndexOf(SHOW)).toBeGreaterThan(text.lastIndexOf(HIDE));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shows the cursor when closed at any moment, also twice', () => {
    const events = session();
    for (let end = 0; end < events.length; end++) {
      const listeners = process.listenerCount('exit');
      const { text, report, stream } = play(events.slice(0, end));
      report.close();
      expect(stream.text()).toBe(text);
      expect(text.lastIndexOf(SHOW)).toBeGreaterThanOrEqual(text.lastIndexOf(HIDE));
      expect(vi.getTimerCount()).toBe(0);
      expect(process.listenerCount('exit')).toBe(listeners);
    }
  });

  it('turns a spinner only while folders are walked', () => {
    const { text } = play(session());
    const spun = text.lastIndexOf('Looking for images');
    expect(spun).toBeGreaterThan(-1);
    expect(spun).toBeLessThan(text.indexOf('batch 7f3a9c'));
  });

  it('prints a failure once, and the summary last', () => {
    const { text } = play(session(), false);
    expect(text.split('✗ photos/notes.jpg')).toHaveLength(2);
    expect(text.trimEnd().endsWith('Next   imgtool status 7f3a9c')).toBe(true);
  });

  it('prints the first three failures with the same cause as they come, and all of them with verbose', () => {
    const failures = Array.from({ length: 40 }, (_, at) => failedOf(`${at}.jpg`));
    const events = [...session().slice(0, 4), ...failures, failedOf('other.jpg', 'is empty')];
    expect(play(events).text.match(/✗ \d+\.jpg/g)).toHaveLength(3);
    expect(play(events).text).toContain('✗ other.jpg  is empty');
    expect(play(events, true, { verbose: true }).text.match(/✗ \d+\.jpg/g)).toHaveLength(40);
  });

  it('lists the paths that a dry run would write above the live lines, if they are wanted', () => {
    const started = { ...session()[2]!, total: null, dryRun: true } as Event;
    const paths = ['out/a_thumbnail.webp', 'out/a\u001b_medium.webp'];
    const events = [started, jobOf('a.jpg', { would: 'render', wouldWrite: paths })];
    const listed = play(events, true, { listsPaths: true }).text;
    expect(listed).toContain('out/a_thumbnail.webp\nout/a\\x1b_medium.webp\n');
    expect(listed).toContain(' 1 image looked at');
    expect(listed).toContain(' would write 2 files (2 variants x 1 image) to ./out');
    expect(listed).not.toContain('completed');
    expect(play(events).text).not.toContain('out/a_thumbnail.webp');
  });

  it('prints a profile once, above the summary', () => {
    const events = session();
    const { text } = play([...events.slice(0, -1), PROFILE, ...events.slice(-1)]);
    for (const row of profileLines(PROFILE)) expect(text.split(row)).toHaveLength(2);
    expect(text.indexOf('profile of 7.5s')).toBeLessThan(text.indexOf('10 of 12 images'));
  });

  it('prints both of two equal failures in a row', () => {
    const { stream, report } = open();
    for (const event of session().slice(0, 4)) report.event(event);
    vi.advanceTimersByTime(1000);
    report.event(failedOf('a.jpg'));
    vi.advanceTimersByTime(100);
    report.event(failedOf('a.jpg'));
    vi.advanceTimersByTime(100);
    report.close();
    expect(stream.text().split('✗ a.jpg')).toHaveLength(3);
  });

  it('redraws at most ten times a second, and only what has changed', () => {
    vi.spyOn(performance, 'now').mockReturnValue(0);
    const { stream, report } = open();
    for (const event of session().slice(0, 4)) report.event(event);
    vi.advanceTimersByTime(500);
    const writes = vi.spyOn(stream, 'write');
    vi.advanceTimersByTime(10_000);
    expect(writes).not.toHaveBeenCalled();
    for (const event of session().slice(4, 8)) report.event(event);
    vi.advanceTimersByTime(1000);
    expect(writes.mock.calls.length).toBeLessThanOrEqual(10);
    report.close();
  });

  it('assumes 80 columns for a terminal of unknown size', async () => {
    const stream = memoryStream(0, 0);
    const look = { noColor: true, dumb: false, unicode: true, journal: false };
    const style = await styleFor(stream as unknown as NodeJS.WriteStream, { color: 'auto', look });
    expect(style).toMatchObject({ tty: true, color: false, unicode: true });
    const report = createTerminalReport({
      stream,
      style,
      command: 'process',
      out: './out',
      ...MODE,
      verbose: true,
    });
    for (const event of session()) {
      report.event(event);
      vi.advanceTimersByTime(150);
    }
    expect(stream.text()).toContain('✗ 10 of 12 images in 31.4s, 2 failed   (0.4/s, 4 at a time)');
    expect(stream.text().length).toBeLessThan(50_000);
  });

  it('uses no colour when there is none', () => {
    expect(play(session()).text).not.toMatch(/\u001b\[\d+(;\d+)*m/);
  });
});

function open(mode: Partial<typeof MODE> = {}) {
  const stream = memoryStream();
  const options = { stream, style: styleOf(), command: 'process', out: './out', ...MODE, ...mode };
  return { stream, report: createTerminalReport(options) };
}

function play(events: readonly Event[], slowly = true, mode: Partial<typeof MODE> = {}) {
  const { stream, report } = open(mode);
  for (const event of events) {
    report.event(event);
    if (slowly) vi.advanceTimersByTime(150);
  }
  report.close();
  return { stream, report, text: stream.text() };
}
