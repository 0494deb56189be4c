import { describe, expect, it } from 'vitest';
import { failure, person } from './folders.ts';

describe('a wrong value is an error that says where, what was expected and what came', () => {
  it.each([
    ['jobs', 'many', '--jobs: expected a whole number from 1 to 1024, or auto, got "many"'],
    ['jobs', '0', '--jobs: expected a whole number from 1 to 1024, or auto, got "0"'],
    ['jobs', 1.5, '--jobs: expected a whole number from 1 to 1024, or auto, got 1.5'],
    [
      'duplicates',
      'lnik',
      '--duplicates: expected one of link, copy, skip, got "lnik" (did you mean "link"?)',
    ],
    [
      'color',
      'allways',
      '--color: expected one of auto, always, never, got "allways" (did you mean "always"?)',
    ],
    ['effort', '11', '--effort: expected a whole number from 0 to 10, or auto, got "11"'],
    ['effort', -1, '--effort: expected a whole number from 0 to 10, or auto, got -1'],
    [
      'effort',
      'ato',
      '--effort: expected a whole number from 0 to 10, or auto, got "ato" (did you mean "auto"?)',
    ],
    ['limitPixels', '100X', '--limit-pixels: expected a number such as 100M or 500k, got "100X"'],
    ['limitPixels', '1.2.3M', '--limit-pixels: expected a number such as 100M or 500k, got "1.2.3M"'],
    ['memory', '15M', '--memory: expected a size from 16M, such as 512M or 1.5GiB, or auto, got "15M"'],
    ['memory', '2X', '--memory: expected a size from 16M, such as 512M or 1.5GiB, or auto, got "2X"'],
    ['memory', '-2G', '--memory: expected a size from 16M, such as 512M or 1.5GiB, or auto, got "-2G"'],
    [
      'memory',
      'atuo',
      '--memory: expected a size from 16M, such as 512M or 1.5GiB, or auto, got "atuo" (did you mean "auto"?)',
    ],
    ['settle', '2 weeks', '--settle: expected a time from 10ms to 10m, got "2 weeks"'],
    ['timeout', '0', '--timeout: expected a time from 100ms to 1d, got "0"'],
    ['out', '', '--out: expected a folder, got ""'],
    ['force', 'maybe', '--force: expected true or false, got "maybe"'],
    ['include', [true], '--include: expected a glob, or a list of them, got a list'],
    ['preset', 'wbe', '--preset: unknown preset "wbe" (did you mean "web"?)'],
    ['name', '{nmae}', '--name: unknown placeholder "nmae" (did you mean "name"?)'],
  ])('flag %s given %j', async (key, value, message) => {
    const error = await failure(() => person().load({ [key]: value }));
    expect(error.message).toBe(message);
    expect(error.code).toBe('usage');
  });

  it('in the environment it is named by the variable', async () => {
    const error = await failure(() => person().load({}, { IMGTOOL_DUPLICATES: 'copi' }));
    expect(error.code).toBe('config');
    expect(error.message).toBe(
      'IMGTOOL_DUPLICATES: expected one of link, copy, skip, got "copi" (did you mean "copy"?)',
    );
  });

  it('in a file it is named by file and key', async () => {
    const { load, write } = person();
    const file = write('.imgtoolrc', 'timeout: long');
    const error = await failure(() => load());
    expect(error.code).toBe('config');
    expect(error.message).toBe(`${file}: timeout: expected a time from 100ms to 1d, got "long"`);
  });

  it('is found even where a flag overrides it', async () => {
    const error = await failure(() => person().load({ jobs: 2 }, { IMGTOOL_JOBS: 'x' }));
    expect(error.message).toMatch(/^IMGTOOL_JOBS: /);
  });

  it('is shown short and without control characters', async () => {
    const error = await failure(() => person().load({ color: `\u001b[31m${'x'.repeat(500)}` }));
    expect(error.message).toContain('\\u001b');
    expect(error.message.length).toBeLessThan(200);
  });
});

describe('an unknown word', () => {
  it('in a file names every unknown key with the nearest one', async () => {
    const { load, write } = person();
    const file = write('.imgtoolrc', 'presett: web\nlimit-pixels: 5\nzzz: 1\n__proto__: { out: x }');
    const error = await failure(() => load());
    expect(error.message).toBe(
      `${file}: unknown key "presett" (did you mean "preset"?); unknown key "limit-pixels" ` +
        '(did you mean "limitPixels"?); unknown key "zzz"; unknown key "__proto__"',
    );
    expect(error.fix).toContain('followSymlinks');
  });

  it('as an option of the library is refused', async () => {
    // A caller without types may give anything.
    const flags = JSON.parse('{"jbos": 1}');
    const error = await failure(() => person().load(flags));
    expect(error.message).toBe('options: unknown option "jbos" (did you mean "jobs"?)');
    expect(error.code).toBe('usage');
  });

  it('as a preset in a file names the file and lists the presets, the own ones too', async () => {
    const { load, write } = person();
    const file = write('.imgtoolrc', 'preset: blogg\npresets: { blog: [a:w=1] }');
    const error = await failure(() => load());
    expect(error.message).toBe(`${file}: preset: unknown preset "blogg" (did you mean "blog"?)`);
    expect(error.fix).toBe('use one of: web, archive, gallery, compat, blog');
    expect(error.code).toBe('config');
  });
});
