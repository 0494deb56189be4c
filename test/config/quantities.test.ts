import { expect, it } from 'vitest';
import { showSize, sizeType } from '../../src/config/quantities.ts';
import { orWord } from '../../src/variants/values.ts';
import { failure } from './folders.ts';

const read = (raw: unknown) => orWord('auto', sizeType(100)).read(raw, { code: 'usage', text: '--memory' });

it.each([
  ['512', 512],
  [512, 512],
  ['16k', 16_000],
  ['16kB', 16_000],
  ['16KiB', 16_384],
  ['512M', 512_000_000],
  ['512mb', 512_000_000],
  ['512 MiB', 536_870_912],
  [' 2G ', 2_000_000_000],
  ['1.5GiB', 1_610_612_736],
  ['0.5T', 500_000_000_000],
  ['1TiB', 1_099_511_627_776],
  ['100', 100],
  ['auto', null],
  [null, null],
])('%j is %j bytes', (written, bytes) => {
  expect(read(written)).toBe(bytes);
});

it.each([
  '',
  '99',
  '0.09k',
  '-1G',
  '1.2.3G',
  '2Q',
  '2iB',
  '1e9',
  '10 000',
  'G',
  '9999999T',
  1.5,
  [],
  {},
  true,
])('%j is no size', async (written) => {
  const error = await failure(() => read(written));
  expect(error.message).toMatch(
    /^--memory: expected a size from 100, such as 512M or 1\.5GiB, or auto, got /,
  );
});

it.each([
  [100, '100'],
  [16_000, '16k'],
  [500_000_000, '500M'],
  [1_500_000_000, '1.5G'],
  [967_000_000, '967M'],
  [50_331_648, '48MiB'],
  [1_610_612_736, '1.5GiB'],
  [16_777_217, '16777217'],
])('%i bytes are shown as %s, which reads as the same', (bytes, text) => {
  expect(showSize(bytes)).toBe(text);
  expect(read(text)).toBe(bytes);
});
