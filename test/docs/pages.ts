import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The topics of `imgtool help`, sorted. */
export const TOPICS: readonly string[] = readdirSync(join(ROOT, 'src/help'))
  .map((name) => name.replace(/\.md$/, ''))
  .sort();

/** Paths of all pages for people, below the root of the repository. */
export const PAGES: readonly string[] = [
  'README.md',
  ...TOPICS.map((topic) => `src/help/${topic}.md`),
  'src/README.md',
  'test/bench/README.md',
];

/** Text of a page by its path, or by its topic. */
export function page(path: string): string {
  return readFileSync(join(ROOT, path.endsWith('.md') ? path : `src/help/${path}.md`), 'utf8');
}

/** The code blocks of one language. */
export function blocks(path: string, language: string): string[] {
  const found = page(path).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return [...found].map(([, text = '']) => text);
}

/** A page without its code blocks. */
export function prose(path: string): string {
  return page(path).replace(/^```[\s\S]*?^```$/gm, '');
}

/** Text below a heading, down to the next one. */
function section(path: string, heading: string): string {
  return (
    page(path)
      .split(/^#+ /m)
      .find((part) => part.startsWith(`${heading}\n`)) ?? ''
  );
}

/** The cells of all rows of tables below a heading. */
export function rows(path: string, heading: string): string[][] {
  return [...section(path, heading).matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) =>
    row.split(' | ').map((cell) => cell.trim()),
  );
}

/** The words in `code` that rows of a table or items of a list begin with. */
export function terms(path: string, heading: string): string[] {
  const cells = rows(path, heading).map(([cell = '']) => cell);
  const items = [...section(path, heading).matchAll(/^- (`[^:]*):/gm)].map(([, term = '']) => term);
  return [...cells, ...items].flatMap((text) => codes(text));
}

/** The words in `code`. */
export function codes(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

/** Keys and kinds of values, without the values. */
export function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, inner]) => [key, shape(inner)]);
}
