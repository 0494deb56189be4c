import type { Style } from '../model.ts';
import { counted } from './format.ts';
import { line, lookOf, roomOf } from './look.ts';
import { printable } from './printable.ts';
import { padEnd, width, wrap } from './text.ts';

/** One thing looked at, and what to do when it is not well. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly value: string;
  readonly fix?: string | undefined;
}

/** What this machine can do and what is wrong, for a screen or to be pasted into a report. Ends with a newline. */
export function doctorText(checks: readonly Check[], style: Style): string {
  const look = lookOf(style);
  const room = roomOf(style);
  const names = Math.min(24, Math.max(0, ...checks.map(({ name }) => width(name))));
  const indent = 12 + names;
  const { green, yellow, red } = look.chalk;
  const paints = { ok: green, warning: yellow, problem: red };
  const lines = checks.flatMap(({ name, state, value, fix }) => {
    const words = [printable(value), ...(fix === undefined ? [] : [`fix: ${printable(fix)}`])];
    const [first = '', ...more] = words.flatMap((text) => wrap(text, Math.max(8, room - indent)));
    const label = { text: padEnd(state, 7), paint: paints[state] };
    const head = line([' ', label, '  ', padEnd(printable(name), names), '  ', first], room, look);
    return [head, ...more.map((text) => ' '.repeat(indent) + text)];
  });
  return [...lines, '', verdict(checks)].map((text) => `${text.trimEnd()}\n`).join('');
}

/** What `doctor --json` prints. */
export function doctorJson(checks: readonly Check[]): object {
  return { v: 1, checks: checks.map(({ name, state, value, fix }) => ({ name, state, value, fix })) };
}

function verdict(checks: readonly Check[]): string {
  const problems = checks.filter(({ state }) => state === 'problem').length;
  const warnings = checks.filter(({ state }) => state === 'warning').length;
  if (problems + warnings === 0) return ' Everything is well.';
  const parts = [
    problems > 0 ? counted(problems, 'problem') : '',
    warnings > 0 ? counted(warnings, 'warning') : '',
  ];
  return ` ${parts.filter((part) => part !== '').join(', ')}.`;
}
