import { describe, expect, it } from 'vitest';
import { page, TOPICS } from '../docs/pages.ts';
import { has, openPlace } from './imgtool.ts';

/** Topics that are also commands. */
const BOTH = ['config', 'serve', 'verify', 'watch'];

describe('imgtool help', () => {
  it('lists the commands, then the topics', async () => {
    const place = openPlace();
    const { code, stdout, stderr } = await place.run(['help']);
    expect([code, stderr]).toEqual([0, '']);
    const [commands = '', topics = ''] = stdout.split('\nTopics:\n');
    expect(commands).toBe((await place.run(['--help'])).stdout);
    expect([...topics.matchAll(/^ {2}(\S+) {2,}\S/gm)].map(([, topic]) => topic)).toEqual(TOPICS);
  });

  it.each(TOPICS)('prints the page of %s', async (topic) => {
    const { code, stdout, stderr } = await openPlace().run(['help', topic]);
    expect([code, stderr]).toEqual([0, '']);
    const [heading = ''] = page(topic).split('\n');
    const title = heading.slice(2);
    expect(stdout).toContain(`${title}\n${'='.repeat(title.length)}\n\n`);
    if (!BOTH.includes(topic)) expect(stdout.startsWith(title)).toBe(true);
    expect(stdout).not.toMatch(/^```|^#{1,6} |\]\(|\*\*[\w`]/m);
    // The output contains all words of the page, without the marks of Markdown.
    const words = (text: string) => new Set(text.match(/[\p{L}\p{N}]{3,}/gu));
    const said = words(stdout);
    const text = page(topic)
      .replace(/^```\w*$/gm, '')
      .replace(/\]\([^)]*\)/g, ']');
    expect([...words(text)].filter((word) => !said.has(word))).toEqual([]);
  });

  it.each(['process', 'list', ...BOTH])('prints the help of the command %s', async (command) => {
    const place = openPlace();
    const { code, stdout } = await place.run(['help', command]);
    expect(code).toBe(0);
    const own = (await place.run([command, '--help'])).stdout;
    if (BOTH.includes(command)) expect(stdout.startsWith(`${own}\n`)).toBe(true);
    else expect(stdout).toBe(own);
  });

  it.each(['variants', 'exit-codes', 'config', 'process', ''])(
    'takes 80 columns outside a terminal, apart from code: %s',
    async (topic) => {
      const { stdout } = await openPlace().run(topic === '' ? ['help'] : ['help', topic]);
      const long = stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('    '));
      expect(long).toEqual([]);
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeGreaterThan(70);
    },
  );

  it.runIf(has('script') && has('stty'))('takes the columns of a terminal, at most 100', async () => {
    const widths = new Map<number, number>();
    for (const columns of [50, 80, 200]) {
      const script = `exec script -qec "stty cols ${columns}; exec $*" /dev/null </dev/null`;
      const before = ['sh', '-c', script, 'sh'];
      const { code, stdout } = await openPlace().run(['help', 'naming'], { before });
      expect(code).toBe(0);
      const prose = stdout.split(/\r?\n/).filter((line) => !line.startsWith('    '));
      widths.set(columns, Math.max(...prose.map((line) => line.length)));
    }
    expect(widths.get(50)).toBeGreaterThan(40);
    expect(widths.get(50)).toBeLessThanOrEqual(50);
    expect(widths.get(80)).toBeGreaterThan(70);
    expect(widths.get(80)).toBeLessThanOrEqual(80);
    expect(widths.get(200)).toBeGreaterThan(90);
    expect(widths.get(200)).toBeLessThanOrEqual(100);
  });

  it('of the service shows the presets of uploads that name none', async () => {
    const { stdout } = await openPlace().run(['serve', '--help']);
    const about = / +--preset <name> +(.*?)\n +--/s.exec(stdout)?.[1]?.replace(/\s+/g, ' ');
    expect(about).toContain('(default: archive for /api/v1/images, gallery for /upload and /batch)');
  });

  it('shows the default of an option without quotes', async () => {
    const { stdout } = await openPlace().run(['list', '--help']);
    expect(stdout).toMatch(/--limit <n> +most batches to list \(default: 20\)$/m);
  });

  it.each([
    ['variant', 'did you mean imgtool help variants?'],
    ['proces', 'did you mean imgtool help process?'],
    ['quantum', 'imgtool help'],
    ['uninstall', 'imgtool help files-and-uninstall, or imgtool help for all topics'],
    ['systemd', 'imgtool help watch, or imgtool help for all topics'],
    ['cron', 'imgtool help watch, or imgtool help for all topics'],
    ['thumbs', 'imgtool help variants, or imgtool help for all topics'],
    ['GPS', 'imgtool help metadata, or imgtool help for all topics'],
    ['.*', 'imgtool help'],
  ])('rejects %s with exit code 2 and the nearest word or topic', async (topic, fix) => {
    const { code, stdout, stderr } = await openPlace().run(['help', topic]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`error: there is no help for '${topic}'\nfix: ${fix}\n`);
  });
});
