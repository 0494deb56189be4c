import { describe, expect, it } from 'vitest';
import { hanging, markdownText } from '../../src/report/markdown.ts';

const PAGE = `# A **page**

One paragraph that is written
in two lines, see [settings](config.md#keys) or
[a site](https://example.org).

- an item that is longer than one line of
  this page
- \`a command\` in an item
1. a step

| name | meaning                  |
| ---- | ------------------------ |
| \`a\` | the first of two letters |
| bcd  | more                     |

\`\`\`sh
imgtool process photos --out a-long-line-of-code
\`\`\`
`;

describe('a page of Markdown as text', () => {
  it('is wrapped to the columns, without marks, and keeps code', () => {
    expect(markdownText(PAGE, 30)).toBe(`A page
======

One paragraph that is written
in two lines, see settings
(imgtool help config) or a
site.

- an item that is longer than
  one line of this page
- \`a command\` in an item
1. a step

name  meaning
----  ------------------------
\`a\`   the first of two letters
bcd   more

    imgtool process photos --out a-long-line-of-code
`);
  });

  it('wraps the last column of a table', () => {
    expect(markdownText(PAGE, 24)).toContain('`a`   the first of two\n      letters\nbcd   more\n');
  });

  it('joins the lines of a paragraph that fit into one', () => {
    expect(markdownText('a\nb\n\n- c\n  d\n', 80)).toBe('a b\n\n- c d\n');
  });

  it('never breaks a command in a sentence', () => {
    expect(hanging('x: ', 'run `imgtool help config` now', 24)).toEqual([
      'x: run',
      '   `imgtool help config`',
      '   now',
    ]);
  });
});
