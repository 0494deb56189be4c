import { readdirSync, readFileSync } from 'node:fs';
import { nearest } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import type { Helpful, Verb } from './verb.ts';

/** The source and the built file both lie two folders below the package root, which contains the pages. */
const PAGES = new URL('../../src/help/', import.meta.url);

/** Prints a command's help, a topic's page, or both if they share a name. Errors: `usage` for an unknown word. */
export const helpVerb: Verb = {
  description: 'explain a command or a topic',
  settings: [],
  argument: ['[topic]', 'a command, or a topic that `imgtool help` lists'],
  async run({ paths, program, streams }) {
    streams.stdout.write(helpText(paths[0], program));
    return 'ok';
  },
};

function helpText(topic: string | undefined, root: Helpful): string {
  const topics = readdirSync(PAGES)
    .map((name) => name.replace(/\.md$/, ''))
    .sort();
  if (topic === undefined) {
    return `${root.helpInformation()}\nTopics:\n${topics.map(topicLine).join('')}\nimgtool help <topic> explains one.\n`;
  }
  const command = root.commands.find((one) => one.name() === topic);
  const hasPage = topics.includes(topic);
  if (command === undefined && !hasPage) throw unknownTopic(topic, topics, root.commands);
  const parts = [command?.helpInformation() ?? [], hasPage ? asText(pageOf(topic)) : []];
  return parts.flat().join('\n');
}

function unknownTopic(topic: string, topics: readonly string[], commands: readonly Helpful[]): ImgtoolError {
  const near = nearest(topic, [...topics, ...commands.map((one) => one.name())]);
  return new ImgtoolError('usage', `there is no help for '${topic}'`, {
    fix: near === undefined ? 'imgtool help' : `did you mean imgtool help ${near}?`,
  });
}

function topicLine(topic: string): string {
  const [heading = ''] = pageOf(topic).split('\n');
  return `  ${topic.padEnd(27)}  ${heading.replace(/^# /, '')}\n`;
}

function pageOf(topic: string): string {
  return readFileSync(new URL(`${topic}.md`, PAGES), 'utf8');
}

/** Formats Markdown for a terminal: underlines headings, indents code, and writes links as `imgtool help` commands. */
function asText(markdown: string): string {
  let isCode = false;
  return markdown
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('```')) {
        isCode = !isCode;
        return [];
      }
      return isCode ? [`    ${line}`.trimEnd()] : proseLines(line);
    })
    .join('\n');
}

function proseLines(line: string): string[] {
  const text = line
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/\[([^\]]+)\]\(([\w-]+)\.md(?:#[\w-]+)?\)/g, '$1 (imgtool help $2)')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
  const [, level, heading] = /^(#+) (.*)$/.exec(text) ?? [];
  if (level === undefined || heading === undefined) return [text];
  return [heading, (level === '#' ? '=' : '-').repeat(heading.length)];
}
