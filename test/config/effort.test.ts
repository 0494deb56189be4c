import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config.ts';
import { person } from './folders.ts';

const EVERY_FORMAT = ['w:w=5', 'a:w=5,format=avif', 'p:w=5,format=png', 'j:w=5,format=jpeg'];

const efforts = ({ preset }: Config) =>
  Object.fromEntries(preset.variants.map(({ name, format, effort }) => [`${name}.${format}`, effort]));

describe('an effort for all variants', () => {
  it.each([
    ['auto', { 'w.webp': 4, 'a.avif': 2, 'p.png': 7, 'j.jpeg': 0 }],
    ['0', { 'w.webp': 0, 'a.avif': 0, 'p.png': 1, 'j.jpeg': 0 }],
    ['3', { 'w.webp': 3, 'a.avif': 3, 'p.png': 3, 'j.jpeg': 0 }],
    [8, { 'w.webp': 6, 'a.avif': 8, 'p.png': 8, 'j.jpeg': 0 }],
    ['10', { 'w.webp': 6, 'a.avif': 9, 'p.png': 10, 'j.jpeg': 0 }],
  ])('of %s is cut to what each format has', async (effort, expected) => {
    expect(efforts(await person().load({ effort, variants: EVERY_FORMAT }))).toEqual(expected);
  });

  it('changes nothing else about a variant', async () => {
    const { preset: before } = await person().load({ preset: 'compat' });
    const { preset: after } = await person().load({ preset: 'compat', effort: '1' });
    const expected = before.variants.map((one) => (one.format === 'jpeg' ? one : { ...one, effort: 1 }));
    expect(after).toEqual({ name: 'compat', variants: expected });
  });

  it('takes the place of what a preset of the user says', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'presets: { mine: [a:w=1, "b:w=2,effort=6"] }\npreset: mine');
    expect(efforts(await load())).toEqual({ 'a.webp': 4, 'b.webp': 6 });
    const config = await load({ effort: '1' });
    expect(efforts(config)).toEqual({ 'a.webp': 1, 'b.webp': 1 });
    expect(config.presets.at(-1)?.variants.map(({ effort }) => effort)).toEqual([4, 6]);
  });

  it('leaves a variant the one it names beside it, be it that of its format', async () => {
    const variants = ['a:w=1,effort=5', 'b:w=2', 'c:w=3,effort=4'];
    expect(efforts(await person().load({ variants, effort: '0' }))).toEqual({
      'a.webp': 5,
      'b.webp': 0,
      'c.webp': 4,
    });
    expect(efforts(await person().load({ preset: 'web', variants, effort: '2' }))).toMatchObject({
      'large.webp': 2,
      'a.webp': 5,
      'b.webp': 2,
    });
  });

  it('leaves a variant of the command line its own where a variable or file says it', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'effort: 1');
    const variants = ['a:w=1,effort=5', 'b:w=2'];
    expect(efforts(await load({ variants }))).toEqual({ 'a.webp': 5, 'b.webp': 1 });
    const config = await load({ variants }, { IMGTOOL_EFFORT: '3' });
    expect(efforts(config)).toEqual({ 'a.webp': 5, 'b.webp': 3 });
  });

  it('given by flag counts more than the one that a variant in a file names', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'variants: ["a:w=1,effort=5", "b:w=2"]\neffort: 1');
    expect(efforts(await load())).toEqual({ 'a.webp': 5, 'b.webp': 1 });
    expect(efforts(await load({ effort: 0 }))).toEqual({ 'a.webp': 0, 'b.webp': 0 });
    expect(efforts(await load({ effort: 'auto' }))).toEqual({ 'a.webp': 5, 'b.webp': 4 });
  });
});
