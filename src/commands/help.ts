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
  const about = near === undefined ? topicAbout(topic, topics) : undefined;
  const other =
    about === undefined ? 'imgtool help' : `imgtool help ${about}, or imgtool help for all topics`;
  return new ImgtoolError('usage', `there is no help for '${topic}'`, {
    fix: near === undefined ? other : `did you mean imgtool help ${near}?`,
  });
}

/** What users ask for, where a page has other words or another page has them more often. */
const ASKED: readonly (readonly [topic: string, words: string])[] = [
  ['variants', 'thumb thumbnail size resize width quality crop'],
  ['watch', 'cron service daemon systemd'],
  ['serve', 'http api upload docker nginx'],
  ['files-and-uninstall', 'remove upgrade update database'],
];

/** The topic whose name has this word, or else the one whose page has it in most lines. */
function topicAbout(word: string, topics: readonly string[]): string | undefined {
  // A plural finds its singular too: `thumbs`, `thumbnail`.
  const letters = word
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .replace(/(?<=...)s$/, '');
  if (letters.length < 3) return undefined;
  const [asked] = ASKED.find(([, words]) => words.split(' ').includes(letters)) ?? [];
  if (asked !== undefined) return asked;
  const pattern = new RegExp(`(^|[^\\p{L}])${letters}`, 'iu');
  const lines = (topic: string) =>
    pageOf(topic)
      .split('\n')
      .filter((line) => pattern.test(line)).length;
  const ranked = topics.map((topic) => ({ topic, found: pattern.test(topic) ? Infinity : lines(topic) }));
  const [best] = ranked.sort((a, b) => b.found - a.found);
  return best !== undefined && best.found > 0 ? best.topic : undefined;
}

function titleOf(topic: string): string {
  return (pageOf(topic).split('\n')[0] ?? '').replace(/^# /, '');
}

function pageOf(topic: string): string {
  return readFileSync(new URL(`${topic}.md`, HELP_PAGES), 'utf8');
}
