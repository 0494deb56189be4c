import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { settingsSchema } from '../../src/config/schema.ts';
import { readVariants } from '../../src/variants/written.ts';
import { failure } from './folders.ts';
import { faultsOf } from './json-schema.ts';

const example = readFileSync(new URL('../../.imgtoolrc.example', import.meta.url), 'utf8');
const faults = (settings: unknown) => faultsOf(settings, settingsSchema());

describe('the JSON Schema of .imgtoolrc', () => {
  it('accepts the example, as it is and with every setting in force', () => {
    expect(faults(parse(example))).toEqual([]);
    expect(faults(parse(example.replace(/^# (\w+): (.*)$/gm, '$1: $2')))).toEqual([]);
  });

  it('accepts an empty file, and keys without a value', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ out: null, variants: null, presets: null })).toEqual([]);
  });

  it.each([
    { presett: 'web' },
    { 'limit-pixels': 5 },
    { presets: { mine: [{ name: 'a', widht: 5 }] } },
    { presets: { mine: { a: { widht: 5 } } } },
    { variants: [{ name: 'a', width: 5, qualty: 1 }] },
  ])('rejects wrong keys: %j', (settings) => {
    expect(faults(settings)).not.toEqual([]);
  });

  it.each([
    { jobs: 'many' },
    { jobs: 0 },
    { duplicates: 'lnik' },
    { force: 'maybe' },
    { memory: '2X' },
    { timeout: 'long' },
    { include: [true] },
    { out: -1 },
    { presets: { '.hidden': ['a:w=5'] } },
    { variants: ['hero'] },
  ])('rejects wrong values: %j', (settings) => {
    expect(faults(settings)).not.toEqual([]);
  });
});

describe('a number where text is expected', () => {
  it.each([
    { preset: 400, variants: [{ name: 400, width: 5 }], exclude: [2024] },
    { out: 2024, presets: { 400: { 800: { width: 800 } } } },
  ])('is accepted by the JSON Schema: %j', (settings) => {
    expect(faults(settings)).toEqual([]);
  });
});

describe('the JSON Schema of a variant', () => {
  it.each([
    { width: 5 },
    { h: 5, q: 7, greyscale: 'yes' },
    { width: '5', height: null },
    { width: 5, height: 5, fit: 'cover', position: 'right-top' },
    { width: 5, position: 'centre' },
    { width: 5, format: 'jpg', effort: 0, lossless: false },
    { width: 16384, format: 'avif', effort: 9 },
    { width: 65535, format: 'png' },
    { width: 5, background: '#F00' },
    { width: 5, format: 'jpeg', effort: 2, chroma: 444, progressive: false },
    { width: 5, format: 'avif', chroma: '4:2:0', bitdepth: 10 },
    { width: 5, chroma: 'sharp', nearlossless: 'yes' },
    { width: 5, format: 'tif', effort: 0, lossless: true },
    { width: 65535, format: 'gif', quality: 100, nearlossless: false, chroma: 'auto' },
    {},
    { format: 'png', quality: 50 },
    { ratio: '16:9', w: 800 },
    { ratio: [1.91, 1] },
    { crop: '10:20:300:200' },
    { crop: [10, '20%', '300', '12.5 %'] },
    { width: 5, height: 5, fit: 'cover', position: '30%:40%' },
    { width: 5, height: 5, fit: 'contain', position: ['30%', '40%'] },
    { scale: '200%', enlarge: 'yes' },
    { trim: true, page: '2', linear: 'on' },
  ])('accepts what is read: %j', (fields) => {
    const variants = [{ name: 'a', ...fields }];
    expect(readVariants(variants, { code: 'config', text: '' })).toHaveLength(1);
    expect(faults({ variants })).toEqual([]);
  });

  it.each([
    { width: 0 },
    { ratio: '16' },
    { ratio: [16, 0] },
    { ratio: [16, 9, 1] },
    { crop: [10, 20, 0, 200] },
    { crop: '1:2:3' },
    { width: 5, height: 5, fit: 'cover', position: ['30%', 40] },
    { scale: 50 },
    { page: 0 },
    { width: 16384 },
    { width: 16385, format: 'avif' },
    { width: 5, effort: 7 },
    { width: 5, format: 'png', effort: 0 },
    { width: 5, format: 'jpeg', effort: 3 },
    { width: 5, format: 'tiff', effort: 1 },
    { width: 5, format: 'gif', quality: 80 },
    { width: 5, chroma: 444 },
    { width: 5, format: 'png', bitdepth: 10 },
    { width: 5, format: 'jpeg', nearlossless: true },
    { width: 5, format: 'jpeg', lossless: true },
    { width: 5, fit: 'cower' },
    { width: 5, background: 'pink' },
  ])('rejects what is refused: %j', async (fields) => {
    const variants = [{ name: 'a', ...fields }];
    await failure(() => readVariants(variants, { code: 'config', text: '' }));
    expect(faults({ variants })).not.toEqual([]);
  });
});
