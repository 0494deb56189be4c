import { readdirSync, readFileSync } from 'node:fs';
import { nearest } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import { hanging, markdownText } from '../report/markdown.ts';
import { textOf } from '../report/text.ts';
import type { Helpful, Verb } from './verb.ts';

/** The source and the built file both lie two folders below the package root, which contains the pages. */
const HELP_PAGES = new URL('../../src/help/', import.meta.url);

/** Columns of the text: `elsewhere` if the output is no terminal, and never more than `most`, for easy reading. */
const COLUMNS = { elsewhere: 80, most: 100 };

/** Prints a command's help, a topic's page, or both if they share a name. Errors: `usage` for an unknown word. */
export const helpVerb: Verb = {
  description: 'explain a command or a topic',
  settings: [],
  argument: ['[topic]', 'a command, or a topic that `imgtool help` lists'],
  examples: ['imgtool help', 'imgtool help variants'],
  async run({ paths, program, streams: { stdout } }) {
    const columns = (stdout.isTTY && stdout.columns) || COLUMNS.elsewhere;
    stdout.write(helpText(paths[0], program, Math.min(columns, COLUMNS.most)));
    return 'ok';
  },
};

function helpText(topic: string | undefined, root: Helpful, columns: number): string {
  const topics = readdirSync(HELP_PAGES)
    .map((name) => name.replace(/\.md$/, ''))
    .sort();
  if (topic === undefined) {
    const list = topics.flatMap((one) => hanging(`  ${one.padEnd(27)}  `, titleOf(one), columns));
    return `${root.helpInformation()}\nTopics:\n${textOf(list)}\nimgtool help <topic> explains one.\n`;
  }
  const command = root.commands.find((one) => one.name() === topic);
  const hasPage = topics.includes(topic);
  if (command === undefined && !hasPage) throw unknownTopic(topic, topics, root.commands);
  const parts = [command?.helpInformation() ?? [], hasPage ? markdownText(pageOf(topic), columns) : []];
  return parts.flat().join('\n');
}

function unknownTopic(topic: string, topics: readonly string[], commands: readonly Helpful[]): ImgtoolError {
  const near = nearest(topic, [...topics, ...commands.map((one) => one.name())]);
  return new ImgtoolError('usage', `there is no help for '${topic}'`, {
    fix: near === undefined ? 'imgtool help' : `did you mean imgtool help ${near}?`,
  });
}

function titleOf(topic: string): string {
  return (pageOf(topic).split('\n')[0] ?? '').replace(/^# /, '');
}

function pageOf(topic: string): string {
  return readFileSync(new URL(`${topic}.md`, HELP_PAGES), 'utf8');
}
