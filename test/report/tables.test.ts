import { describe, expect, it } from 'vitest';
import { doctorJson, doctorText } from '../../src/report/doctor.ts';
import { errorText } from '../../src/report/open.ts';
import { configJson, configText, presetsJson, presetsText } from '../../src/report/tables.ts';
import { width } from '../../src/report/text.ts';
import { fullVariant } from '../../src/variants/fields.ts';
import { cellsOf } from '../../src/variants/written.ts';
import { CONTROL_BUT_TAB, HOSTILE, PIPE, styleOf } from './samples.ts';

const LARGE = fullVariant({ name: 'large', width: 1200 });
const PRESETS = [
  {
    name: 'web',
    origin: 'built in',
    variants: [LARGE, { ...LARGE, name: 'square', height: 1200, grayscale: true }],
  },
  { name: 'mine', origin: `/home/${HOSTILE}/.imgtoolrc`, variants: [{ ...LARGE, format: 'jpeg' as const }] },
].map((preset) => ({ ...preset, cells: preset.variants.map(cellsOf) }));
const CHECKS = [
  { name: 'Node', state: 'ok', value: '20.20.2' },
  {
    name: 'inotify',
    state: 'warning',
    value: '8,192 watches',
    fix: 'sysctl fs.inotify.max_user_watches=524288',
  },
  { name: 'index', state: 'problem', value: `${HOSTILE} is damaged`, fix: 'move it away' },
] as const;
const ENTRIES = [
  { key: 'jobs', value: 4, text: '4', origin: 'default' },
  { key: 'out', value: HOSTILE, text: HOSTILE, origin: '--out' },
];

describe('the tables of presets, doctor and config', () => {
  it('fit every width from 20 columns to 120', () => {
    for (let columns = 20; columns <= 120; columns++) {
      const style = styleOf({ width: columns });
      for (const text of [presetsText(PRESETS, style), configText(ENTRIES, style)]) {
        expect(Math.max(...text.split('\n').map(width))).toBeLessThanOrEqual(columns);
      }
      if (columns >= 40) {
        expect(Math.max(...doctorText(CHECKS, style).split('\n').map(width))).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('hold no control codes in a pipe', () => {
    for (const text of [presetsText(PRESETS, PIPE), configText(ENTRIES, PIPE), doctorText(CHECKS, PIPE)]) {
      expect(text).not.toMatch(CONTROL_BUT_TAB);
    }
  });

  it('name a preset once on a screen and in every line of a pipe', () => {
    expect(presetsText(PRESETS, styleOf()).match(/^web/gm)).toHaveLength(1);
    expect(presetsText(PRESETS, PIPE).match(/^web\t/gm)).toHaveLength(2);
    expect(presetsText(PRESETS, PIPE)).toContain(
      'web\tsquare\t1200x1200 inside\twebp\tq85\teffort 4, grayscale\tbuilt in\n',
    );
  });

  it('say in words what a colour says', () => {
    const text = doctorText(CHECKS, styleOf());
    expect(text).toContain(' ok       Node     20.20.2\n');
    expect(text).toContain(' warning  inotify  8,192 watches\n');
    expect(text).toContain('fix: move it away\n');
    expect(text).toContain(' 1 problem, 1 warning.\n');
    expect(doctorText([CHECKS[0]], styleOf())).toContain('Everything is well.');
  });

  it('are documents with a version as JSON', () => {
    expect(presetsJson(PRESETS)).toMatchObject({ v: 1, presets: [{ name: 'web', origin: 'built in' }, {}] });
    expect(doctorJson(CHECKS)).toMatchObject({ v: 1, checks: [{ state: 'ok' }, {}, {}] });
    expect(configJson(ENTRIES)).toEqual({ v: 1, config: ENTRIES });
  });
});

describe('an error', () => {
  it('has its cause and its fix on lines of their own', () => {
    const text = errorText({ message: 'a.jpg: is empty', cause: 'ENODATA', fix: 'copy it again' }, PIPE);
    expect(text).toBe('error: a.jpg: is empty\ncause: ENODATA\nfix: copy it again\n');
    expect(errorText({ message: HOSTILE }, PIPE)).toBe(
      'error: evil\\x1b[31m\\n\\t\\x9b2J\\u202egpj\\ud800.jpg\n',
    );
  });

  it('is coloured only with colours on', () => {
    expect(errorText({ message: 'x' }, styleOf({ color: true }))).toContain('\u001b[31m');
  });
});
