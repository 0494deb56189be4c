import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGES, page, prose, ROOT, TOPICS } from './pages.ts';

/** The anchors that GitHub makes of the headings of a page. */
function anchorsOf(path: string): string[] {
  return [...prose(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function linksOf(path: string) {
  return [...prose(path).matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)]
    .filter(([, target = '']) => !target.startsWith('https://'))
    .map(([link, target = '', anchor]) => ({
      link,
      path: target === '' ? path : join(dirname(path), target),
      anchor,
    }));
}

/** Long lines outside code blocks. */
function longLines(path: string, width: number): string[] {
  return prose(path)
    .split('\n')
    .filter((line) => [...line].length > width);
}

describe('README.md', () => {
  it('has at most 250 lines, none above 160 characters', () => {
    const lines = page('README.md').split('\n');
    expect(lines.length - 1).toBeLessThanOrEqual(250);
    expect(lines.filter((line) => [...line].length > 160)).toEqual([]);
  });

  it('leads to every topic', () => {
    const targets = linksOf('README.md').map(({ path }) => path);
    expect(TOPICS.filter((topic) => !targets.includes(join('src/help', `${topic}.md`)))).toEqual([]);
  });
});

describe('a page', () => {
  it.each(PAGES)('leads only to files and headings that exist: %s', (path) => {
    const broken = linksOf(path).filter(
      (one) =>
        !existsSync(join(ROOT, one.path)) ||
        (one.anchor !== undefined && !anchorsOf(one.path).includes(one.anchor)),
    );
    expect(broken.map(({ link }) => link)).toEqual([]);
  });

  it.each(TOPICS)('fits a terminal: %s', (topic) => {
    expect(longLines(`src/help/${topic}.md`, 100)).toEqual([]);
    expect(page(topic)).toMatch(/^# .+\n\n/);
  });
});

describe('src/README.md', () => {
  it('names every folder of src', () => {
    const folders = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name).slice(join(ROOT, 'src/').length));
    expect(folders.length).toBeGreaterThan(10);
    const text = page('src/README.md');
    const unnamed = folders.filter((folder) => !text.includes(`\`${folder.replaceAll('\\', '/')}/\``));
    expect(unnamed).toEqual([]);
  });
});
