import { describe, expect, it } from 'vitest';
import { type Event, JOB_STATES } from '../../src/model.ts';
import { createJsonReport } from '../../src/report/json.ts';
import {
  CONTROL,
  failedOf,
  finishedOf,
  HOSTILE,
  jobOf,
  memoryStream,
  PROFILE,
  renderedOf,
  session,
} from './samples.ts';

describe('--json', () => {
  it('prints one object per line with v and type first, and no events that only a terminal needs', () => {
    const lines = linesOf(session());
    expect(lines.every((text) => text.startsWith('{"v":1,"type":"'))).toBe(true);
    const types = lines.map((text) => JSON.parse(text).type);
    expect(new Set(types)).toEqual(
      new Set(['batch.started', 'job', 'warning', 'job.retrying', 'batch.finished']),
    );
  });

  it('keeps the order of the contract in a completed job', () => {
    const [text = ''] = linesOf([renderedOf('photos/a.jpg')]);
    const order = 'v type batch source state digest bytes width height dominantColor outputs ms attempts';
    expect(Object.keys(JSON.parse(text))).toEqual(order.split(' '));
    expect(Object.keys(JSON.parse(text).outputs[0])).toEqual(
      'variant format path width height bytes'.split(' '),
    );
    expect(Object.keys(JSON.parse(text).ms)).toEqual('digest decode encode commit total'.split(' '));
  });

  it('names the original of a duplicate and the error of a failure', () => {
    const [first = '', second = ''] = linesOf([
      jobOf('b.jpg', { state: 'duplicate', duplicateOf: 'a.jpg', outputs: [] }),
      failedOf('c.jpg'),
    ]);
    expect(JSON.parse(first)).toMatchObject({ state: 'duplicate', duplicateOf: 'a.jpg', outputs: [] });
    expect(Object.keys(JSON.parse(second).error)).toEqual(['code', 'message', 'fix']);
  });

  it('counts all eight states in order at the end', () => {
    const kinds = { passedOverBy: { unsupported_format: 1 }, passedOverKinds: { PDF: 1 } };
    const [text = ''] = linesOf([finishedOf({ completed: 3 }, kinds)]);
    const order =
      'v type batch state counts passedOver passedOverBy passedOverKinds degraded bytesIn bytesOut ms exit';
    expect(Object.keys(JSON.parse(text))).toEqual(order.split(' '));
    expect(Object.keys(JSON.parse(text).counts)).toEqual([...JOB_STATES]);
  });

  it('has null for an unknown total and prints the total later', () => {
    const batch = '7f3a9c';
    const lines = linesOf([
      { type: 'batch.started', batch, total: null, bytes: 0, out: 'out', preset: 'web', jobs: 2 },
      { type: 'total', batch, total: 15, bytes: 16_000_000 },
    ]);
    expect(JSON.parse(lines[0] ?? '').total).toBeNull();
    expect(lines[1]).toBe('{"v":1,"type":"total","batch":"7f3a9c","total":15,"bytes":16000000}');
  });

  it('escapes control codes in names and stays on one line', () => {
    const name = `${HOSTILE}\u2028\u2029\u0085`;
    const [text = ''] = linesOf([failedOf(name)]);
    expect(text).not.toMatch(CONTROL);
    expect(JSON.parse(text).source).toBe(name);
  });

  it('prints passed over files only with verbose', () => {
    const event: Event = { type: 'passed_over', batch: 'b', path: '.a.jpg', reason: 'hidden' };
    expect(linesOf([event])).toEqual([]);
    expect(linesOf([event], true)).toEqual([
      '{"v":1,"type":"passed_over","batch":"b","path":".a.jpg","reason":"hidden"}',
    ]);
  });

  it('prints all fields of a profile in tenths of a millisecond', () => {
    const [text = ''] = linesOf([PROFILE]);
    expect(Object.keys(JSON.parse(text))).toEqual('v type batch jobs ms parent children pictures'.split(' '));
    expect(JSON.parse(text)).toEqual({ v: 1, ...PROFILE, parent: { ...PROFILE.parent, start: 250 } });
  });

  it('prints the events of a watch, and files that are still being written only with verbose', () => {
    const batch = '7f3a9c';
    const events: Event[] = [
      { type: 'watching', folders: 3, by: 'polling', batch },
      { type: 'scanned', ms: 40.4, changed: 2, sources: 9, batch },
      { type: 'removed', source: 'a.jpg', paths: ['out/a.webp'], batch },
      { type: 'withdrawn', source: 'c.jpg', batch },
      { type: 'still_written', source: 'b.tif', batch },
    ];
    const lines = [
      '{"v":1,"type":"watching","batch":"7f3a9c","folders":3,"by":"polling"}',
      '{"v":1,"type":"scanned","batch":"7f3a9c","sources":9,"changed":2,"ms":40}',
      '{"v":1,"type":"removed","batch":"7f3a9c","source":"a.jpg","paths":["out/a.webp"]}',
      '{"v":1,"type":"withdrawn","batch":"7f3a9c","source":"c.jpg"}',
    ];
    expect(linesOf(events)).toEqual(lines);
    const written = '{"v":1,"type":"still_written","batch":"7f3a9c","source":"b.tif"}';
    expect(linesOf(events, true)).toEqual([...lines, written]);
  });
});

function linesOf(events: readonly Event[], verbose = false): string[] {
  const stream = memoryStream();
  const report = createJsonReport({ stream, verbose, exitOf: () => 1 });
  for (const event of events) report.event(event);
  report.close();
  return stream.text().split('\n').slice(0, -1);
}
