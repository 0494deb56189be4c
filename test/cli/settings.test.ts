import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
});

/** The names of the variants that `process` makes with these arguments and variables. */
async function made(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const outcome = await place.run(['process', '--json', '--out', 'out', ...args, 'photos'], { env });
  expect(outcome.code, outcome.stderr).toBe(0);
  return jobsOf(outcome)[0]?.outputs?.map(({ variant }) => variant);
}

describe('a preset or variants of a nearer layer', () => {
  beforeEach(() => {
    place.put('.imgtoolrc', 'preset: gallery\nvariants: [own:w=30]\n');
  });

  it('replace the preset and the variants of a file', async () => {
    expect(await made([])).toEqual(['standard', 'thumbnail', 'grayscale', 'own']);
    expect(await made(['--preset', 'web'])).toEqual(['thumbnail', 'medium', 'large']);
    expect(await made(['--variant', 'a:w=20'])).toEqual(['a']);
    expect(await made(['--preset', 'web', '--variant', 'a:w=20'])).toEqual([
      'thumbnail',
      'medium',
      'large',
      'a',
    ]);
    expect(await made([], { IMGTOOL_PRESET: 'web' })).toEqual(['thumbnail', 'medium', 'large']);
    expect(await made(['--preset', 'web'], { IMGTOOL_VARIANT: 'a:w=20' })).toEqual([
      'thumbnail',
      'medium',
      'large',
    ]);
  });

  it('are what `config` shows', async () => {
    const shown = async (...args: string[]) => {
      const { stdout } = await place.run(['config', ...args]);
      const rows = stdout.split('\n').filter((row) => /^(preset|variants)\t/.test(row));
      return rows.map((row) => row.split('\t').slice(1));
    };
    const file = place.at('.imgtoolrc');
    expect(await shown()).toEqual([
      ['gallery', file],
      ['own:w=30,format=webp', file],
    ]);
    expect(await shown('--preset', 'web')).toEqual([
      ['web', 'flag --preset'],
      ['none', 'default'],
    ]);
    expect(await shown('--variant', 'a:w=20')).toEqual([
      ['none', 'flag --variant'],
      ['a:w=20,format=webp', 'flag --variant'],
    ]);
  });
});

describe('a setting that cannot be meant', () => {
  it.each([
    [
      'position without cover',
      ['--variant', 'a:w=40,position=top'],
      'add fit=cover with a width and a height',
    ],
    ['a name without an extension', ['--name', '{name}_{variant}'], 'use {name}_{variant}.{ext}'],
    [
      'a name with the extension of another format',
      ['--name', '{name}_{variant}.jpg'],
      'use {name}_{variant}.{ext}',
    ],
  ])('is refused with exit code 2 and a fix: %s', async (_, args, fix) => {
    const { code, stdout, stderr } = await place.run(['process', ...args, 'photos']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`\nfix: ${fix}`);
    expect(place.files('.')).toEqual(['photos/a.jpg']);
  });

  it('is none if a position is beside cover, or a name has the right extension', async () => {
    const tile = ['--variant', 'tile:w=20,h=20,fit=cover,position=top', '--name', '{name}.webp'];
    expect(await made(tile)).toEqual(['tile']);
    expect(place.files('out')).toEqual(['a.webp']);
  });
});

it('a number in YAML is a name', async () => {
  place.put(
    '.imgtoolrc',
    'presets:\n  2024:\n    - { name: 40, width: 40 }\n    - { name: 020, width: 20 }\n',
  );
  expect(await made(['--preset', '2024'])).toEqual(['40', '020']);
  expect(place.files('out')).toEqual(['a_020.webp', 'a_40.webp']);
});

it('`config --json` has typed values, and text for people', async () => {
  const { stdout } = await place.run(['config', '--json', '--timeout', '2m', '--include', '*.jpg']);
  const { config } = JSON.parse(stdout) as { config: { key: string; value: unknown; text: string }[] };
  const of = (key: string) => {
    const { value, text } = config.find((one) => one.key === key) ?? {};
    return [value, text];
  };
  expect(of('jobs')).toEqual([1, '1']);
  expect(of('force')).toEqual([false, 'false']);
  expect(of('timeout')).toEqual([120, '2m']);
  expect(of('include')).toEqual([['*.jpg'], '*.jpg']);
  expect(of('effort')).toEqual([null, 'auto']);
  expect(of('limitPixels')).toEqual([268_000_000, '268M']);
});

describe('an error before anything ran', () => {
  it.each([
    ['an unknown option', ['process', '--json', '--quality', '80', 'photos'], 'usage'],
    ['an unknown command', ['proces', '--json', 'photos'], 'usage'],
    ['an absent path', ['process', '--json', 'fotos'], 'no_input'],
    ['an unknown batch', ['status', '--json', 'ffffffff'], 'unknown_batch'],
    ['a wrong value', ['list', '--json', '--limit', 'all'], 'usage'],
  ])('is one JSON object with --json: %s', async (_, args, code) => {
    const outcome = await place.run(args);
    expect([outcome.code, errorOf(outcome).code]).toEqual([2, code]);
  });

  it.each<[string, string[], Readonly<Record<string, string>>]>([
    ['a variable', [], { IMGTOOL_JSON: 'yes' }],
    ['a file', [], {}],
    ['a named file', ['--config', 'json.yaml'], {}],
    ['a flag before a variable', ['--json'], { IMGTOOL_JSON: 'no' }],
  ])('is one JSON object if JSON is asked for by %s', async (by, args, env) => {
    if (by === 'a file') place.put('.imgtoolrc', 'json: true\nunknown: 1\n');
    place.put('json.yaml', 'json: true\n');
    const outcome = await place.run(['status', 'ffffffff', ...args], { env });
    expect([outcome.code, errorOf(outcome).code]).toEqual([2, by === 'a file' ? 'config' : 'unknown_batch']);
  });

  it.each<[string, string[], Readonly<Record<string, string>>]>([
    ['without --json', [], {}],
    ['with --no-json', ['--no-json'], { IMGTOOL_JSON: 'yes' }],
    ['with a file that is left out', ['--no-config'], {}],
  ])('writes nothing to standard output %s', async (_, args, env) => {
    place.put('.imgtoolrc', args.includes('--no-config') ? 'json: true\n' : '');
    const { code, stdout, stderr } = await place.run(['status', 'ffffffff', ...args], { env });
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      'error: ffffffff: no batch has this id\nfix: imgtool list\n',
    ]);
  });

  it('is text if --json is a path', async () => {
    const { code, stdout, stderr } = await place.run(['process', '--', '--json']);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('--json: is not there')]);
  });
});
