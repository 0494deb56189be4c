import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PICTURE_EXTENSIONS } from '../../src/model/sources.ts';
import { BUILT_IN } from '../../src/variants/presets.ts';
import { fieldsHelp } from '../variants/fields-help.ts';
import { codes, page, prose, ROOT, rows, terms } from './pages.ts';
import { makeReader } from './reader.ts';

/** Flags as the help of a command shows them, sorted. */
function flagsOf(command: string): string[] {
  const { stdout } = makeReader().run(`imgtool ${command} --help`);
  const found = [...stdout.matchAll(/^ {2}(-.*?)(?: {2,}|$)/gm)];
  return found.flatMap(([, text = '']) => text.split(', ')).sort();
}

describe('the pages', () => {
  it('have every flag of process, and no other', () => {
    const flags = flagsOf('process');
    expect(flags.length).toBeGreaterThan(25);
    const shown = terms('config', 'Options of `process`');
    expect(shown.sort()).toEqual(flags);
  });

  it('have every flag of watch that process does not have, and no other', () => {
    const ofProcess = new Set(flagsOf('process'));
    const own = flagsOf('watch').filter((flag) => !ofProcess.has(flag));
    expect(terms('watch', 'Options').sort()).toEqual(own);
  });

  it('have every flag of serve that process does not have, and no other', () => {
    const ofProcess = flagsOf('process');
    const own = flagsOf('serve').filter((flag) => !ofProcess.includes(flag));
    expect(terms('serve', 'Options').sort()).toEqual(own);
  });

  it('have every command, and no other', () => {
    const { stdout } = makeReader().run('imgtool --help');
    const [, text = ''] = stdout.split('Commands:\n');
    const names = [...text.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
    expect(terms('README.md', 'Commands').flatMap((term) => /^imgtool (\w+)/.exec(term)?.[1] ?? [])).toEqual(
      names,
    );
  });

  it('have every built-in preset with its variants', () => {
    const presets = rows('variants', 'Built-in presets').filter(([cell = '']) => cell.startsWith('`'));
    expect(presets.map(([cell = '']) => codes(cell)[0])).toEqual(BUILT_IN.map(({ name }) => name));
    for (const { name, variants } of BUILT_IN) {
      const cell = presets.find(([first = '']) => first.includes(`\`${name}\``))?.[1] ?? '';
      const named = codes(cell);
      const ofWeb = named.includes('web') ? (BUILT_IN[0]?.variants ?? []).map((variant) => variant.name) : [];
      const shown = [...ofWeb, ...named.filter((word) => word !== 'web')];
      expect([...new Set(variants.map((variant) => variant.name))], name).toEqual(shown);
    }
  });

  it('have every field of a variant, as the table of fields words it', () => {
    expect(page('variants')).toContain(fieldsHelp());
  });

  it('have every extension that a folder walk takes, and no other', () => {
    const [, list = ''] = /one of these extensions,([\s\S]*?)\. `--all-files`/.exec(page('formats')) ?? [];
    expect(codes(list).sort()).toEqual([...PICTURE_EXTENSIONS].sort());
  });

  it('have every placeholder of a name', () => {
    const { stderr } = makeReader().run("imgtool process photos --name '{nonsense}'");
    const words = /^fix: use one of: (.*)$/m.exec(stderr)?.[1]?.split(', ') ?? [];
    expect(words.length).toBeGreaterThan(4);
    const shown = rows('naming', 'Names of outputs, and which source owns them');
    const placeholders = shown.flatMap(([cell = '']) => /^`\{(\w+)\}`$/.exec(cell)?.[1] ?? []);
    expect(placeholders.sort()).toEqual(words.sort());
  });

  it('have every error code, and no other', () => {
    const source = readFileSync(join(ROOT, 'src/errors/codes.ts'), 'utf8');
    const known = [...source.matchAll(/^ {2}(\w+): '\w+',$/gm)].map(([, code = '']) => code);
    expect(known.length).toBeGreaterThan(20);
    const sections = ['Codes of an image', 'Codes that end the command', 'Codes of the service'];
    const shown = sections.flatMap((section) => terms('errors', section));
    expect(shown.sort()).toEqual(known.sort());
  });

  it('have every exit code', () => {
    const shown = rows('exit-codes', 'Exit codes').flatMap(([cell = '']) => cell.match(/\d+/g) ?? []);
    expect(shown).toEqual(['0', '1', '2', '3', '129', '130', '143', '141']);
  });

  it('have every event of --json', () => {
    const source = readFileSync(join(ROOT, 'src/model/events.ts'), 'utf8');
    const types = [...source.matchAll(/readonly type: '([\w.]+)'/g)].map(([, type = '']) => type);
    expect(types.length).toBeGreaterThan(12);
    const shown = codes(prose('src/help/json.md'));
    expect(types.filter((type) => !shown.includes(type))).toEqual([]);
  });
});
