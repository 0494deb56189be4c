import { describe, expect, it } from 'vitest';
import {
  age,
  ago,
  bytes,
  change,
  compact,
  count,
  countdown,
  counted,
  duration,
  iso,
  pause,
  percent,
  rate,
  timeOfDay,
} from '../../src/report/format.ts';

describe('figures', () => {
  it('separate thousands with commas', () => {
    expect([0, 999, 1284, 1_000_000].map(count)).toEqual(['0', '999', '1,284', '1,000,000']);
  });

  it('use the singular for one', () => {
    expect(counted(1, 'image')).toBe('1 image');
    expect(counted(1284, 'image')).toBe('1,284 images');
    expect(counted(2, 'batch', 'batches')).toBe('2 batches');
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [999.6, '1.0 kB'],
    [12_000, '12.0 kB'],
    [99_960, '100 kB'],
    [402_000, '402 kB'],
    [999_600, '1.0 MB'],
    [3_900_000_000, '3.9 GB'],
    [982_000_000, '982 MB'],
    [2e18, '2,000 PB'],
  ])('write %d bytes as %s', (size, text) => {
    expect(bytes(size)).toBe(text);
  });

  it('say how much smaller or larger outputs are', () => {
    expect(change(100, 25)).toBe('-75%');
    expect(change(100, 112)).toBe('+12%');
    expect([change(100, 100), change(1_000, 999)]).toEqual(['0%', '0%']);
    expect(change(0, 5)).toBe('');
  });

  it.each([
    [0, '0ms'],
    [71.4, '71ms'],
    [999.7, '1.0s'],
    [31_400, '31.4s'],
    [59_960, '1m 0s'],
    [312_000, '5m 12s'],
    [8_040_000, '2h 14m'],
    [273_600_000, '3d 4h'],
  ])('write %d milliseconds as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('never round an elapsed time up', () => {
    const ages = [0, 59_999, 60_000, 3_599_999, 8_099_000, 86_399_000, 273_600_000].map(age);
    expect(ages).toEqual(['0s', '59s', '1m', '59m', '2h 14m', '23h 59m', '3d 4h']);
  });

  it('write round times without zeros', () => {
    const pauses = [500, 1500, 10_000, 30_000, 90_000, 300_000, 3_600_000].map(pause);
    expect(pauses).toEqual(['500ms', '1.5s', '10s', '30s', '1m 30s', '5m', '1h']);
  });

  it('write sizes as one word, and the time of the day with seconds', () => {
    expect([512, 402_000].map(compact)).toEqual(['512B', '402kB']);
    expect(timeOfDay(new Date(2026, 10, 21, 4, 2, 11).getTime())).toBe('04:02:11');
  });

  it('write the time left like a clock, and a dash for an unknown one', () => {
    expect([0, 10_500, 725_000, 3_723_000].map(countdown)).toEqual(['0:00', '0:11', '12:05', '1:02:03']);
    expect(countdown(null)).toBe('-');
  });

  it('show a rate with one digit while it is small', () => {
    expect([41.23, 129.4, null].map(rate)).toEqual(['41.2/s', '129/s', '-']);
  });

  it('reach 100 % only at the end', () => {
    expect(percent(999, 1000)).toBe('99%');
    expect(percent(0, 0)).toBe('100%');
  });

  it('write times in UTC with milliseconds', () => {
    expect(iso(Date.UTC(2026, 10, 21, 14, 2, 11))).toBe('2026-11-21T14:02:11.000Z');
  });

  it('say how long ago something was', () => {
    const now = new Date(2026, 10, 21, 14, 0).getTime();
    const at = (...when: [number, number, number, number, number]) => ago(new Date(...when).getTime(), now);
    expect(at(2026, 10, 21, 14, 0)).toBe('now');
    expect(at(2026, 10, 21, 13, 58)).toBe('2 min ago');
    expect(at(2026, 10, 21, 9, 0)).toBe('5 h ago');
    expect(at(2026, 10, 20, 23, 50)).toBe('yesterday');
    expect(at(2026, 10, 3, 9, 12)).toBe('3 Nov 09:12');
    expect(at(2024, 10, 3, 9, 12)).toBe('3 Nov 2024');
  });
});
