import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VERBS } from '../../src/commands/index.ts';
import { blocks, codes, PAGES, page, prose, ROOT, rows, shape } from './pages.ts';
import { makeReader } from './reader.ts';

/** The id of a batch as the examples have it. */
const EXAMPLE_ID = '28256677';
/** Commands that need an index with a batch in it. */
const NEEDS_BATCH = new RegExp(`${EXAMPLE_ID}|\\blast\\b|--backup|(verify|--outputs) (photos|out)`);
/** Commands that need an index with a source and outputs that are gone. */
const NEEDS_GONE = /^imgtool forget/;
/** Commands that only a clone can run, and that other tests run. */
const NOT_RUN = /^(npm install|npm link|npm cit)\b/;

/** What stands for a placeholder of a usage line. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  '<path…>': 'photos',
  '<dir…>': 'photos --once',
  '<batch-id>': EXAMPLE_ID,
  '[path…]': 'photos',
  '<topic>': 'variants',
  '[topic]': 'variants',
  '<name>': 'anna --jwt-secret-file secrets.txt',
};

/** The service: it runs until it is stopped. */
const SERVES = /^imgtool serve/;

/** Each command line of the examples, with the exit code that its comment promises. */
const EXAMPLES = PAGES.flatMap((path) => blocks(path, 'sh'))
  .flatMap((block) => block.split('\n'))
  .filter((line) => line !== '' && !NOT_RUN.test(line))
  .map((line) => {
    const [command = '', comment = ''] = line.split(/\s+# /);
    const isEndless = comment === 'until Ctrl-C';
    return { command, isEndless, exit: Number(/^exits (\d+)/.exec(comment)?.[1] ?? 0) };
  });

/** Each command within a sentence or table, its placeholders filled in. */
const MENTIONED = PAGES.flatMap((path) => mentionedIn(prose(path)));

const EXAMPLE_FILE = readFileSync(join(ROOT, '.imgtoolrc.example'), 'utf8');

function mentionedIn(text: string) {
  const commands = codes(text.replace(/\n/g, ' ')).filter((code) => code.startsWith('imgtool '));
  return commands.map((code) => ({
    command: Object.entries(PLACEHOLDERS).reduce((line, [from, to]) => line.replace(from, to), code),
    isEndless: SERVES.test(code),
    exit: 0,
  }));
}

/** Each command at the end of the help of a verb. */
const IN_HELP = Object.values(VERBS)
  .flatMap(({ examples }) => examples)
  .map((command) => ({
    command,
    isEndless: (command.startsWith('imgtool watch') && !command.includes('--once')) || SERVES.test(command),
    exit: 0,
  }));

const COMMANDS = [
  ...new Map([...MENTIONED, ...EXAMPLES, ...IN_HELP].map((one) => [one.command, one])).values(),
];

describe('the pages', () => {
  it('show commands', () => {
    expect(EXAMPLES.length).toBeGreaterThan(30);
    expect(MENTIONED.length).toBeGreaterThan(20);
  });

  it.each(COMMANDS.filter(({ isEndless }) => isEndless))('promise what `$command` does', async (one) => {
    const { start } = makeReader();
    const { printed, stop } = start(`exec ${one.command}`);
    const done = /completed .*umang\.jpg|"source":"photos\/umang\.jpg","state":"completed"/;
    const started = one.command.includes('--no-existing') ? /watching folders=1/ : done;
    await printed(SERVES.test(one.command) ? /listening url=http/ : started);
    expect(await stop('SIGINT')).toBe('SIGINT');
  });

  it.each(COMMANDS.filter(({ isEndless }) => !isEndless))(
    'promise what `$command` does',
    ({ command, exit }) => {
      const { run } = makeReader();
      let line = command.replace(/^npm start --/, 'imgtool');
      if (NEEDS_BATCH.test(line)) {
        const { stdout } = run('imgtool process photos --out out --json');
        const { batch } = JSON.parse(stdout.split('\n')[0] ?? '') as { batch: string };
        line = line.replace(EXAMPLE_ID, batch);
      }
      if (NEEDS_GONE.test(line)) run('imgtool process photos --out out && rm photos/wine.jpg out/wine_*');
      const { status, stderr } = run(line);
      expect({ status, stderr: status === exit ? '' : stderr }).toEqual({ status: exit, stderr: '' });
    },
  );

  it('show a service that runs, with its index where systemd wants it, and ends by SIGTERM', async () => {
    const { start, run, place } = makeReader();
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(blocks('watch', 'ini')[0] ?? '') ?? [];
    const here = command
      .replace('/usr/local/bin/imgtool', 'imgtool')
      .replace('/srv/inbox', 'photos')
      .replace('/srv/web', 'out');
    const { printed, stop } = start(`exec ${here}`, { STATE_DIRECTORY: join(place, 'service') });
    await printed(/completed .*umang\.jpg/);
    expect(await stop('SIGTERM')).toBe('SIGTERM');
    expect(existsSync(join(place, 'service/imgtool.db'))).toBe(true);
    const [list = ''] = blocks('watch', 'text');
    expect(list).toContain('imgtool list');
    const listHere = list.replace('sudo -u www-data ', '').replace('/var/lib/imgtool', 'service');
    expect(run(listHere)).toMatchObject({ status: 0, stdout: expect.stringContaining('photos') });
  });
});

describe('the page of watching', () => {
  it('shows a service that needs no PATH, for Node from nvm', async () => {
    const { start } = makeReader();
    const [, command = ''] = /^ExecStart=(.*\\\n.*)$/m.exec(blocks('watch', 'ini')[1] ?? '') ?? [];
    const here = command
      .replace('/home/me/.nvm/versions/node/v22.11.0/bin/node', `'${process.execPath}'`)
      .replace('/home/me/imgtool', `'${ROOT}'`)
      .replace('/srv/inbox', 'photos')
      .replace('/srv/web', 'out');
    const { printed, stop } = start(`PATH=/nowhere; exec ${here}`);
    await printed(/completed .*umang\.jpg/);
    expect(await stop('SIGTERM')).toBe('SIGTERM');
  });

  it('names the commands for a service: start it at each boot, read its log', () => {
    expect(codes(prose('src/help/watch.md'))).toEqual(
      expect.arrayContaining(['sudo systemctl enable --now imgtool', 'journalctl -u imgtool -f']),
    );
  });
});

describe('the page of the files that imgtool keeps', () => {
  it('names each file that a run leaves outside of the output folder', () => {
    const { run } = makeReader();
    const command = 'mkdir cache && XDG_CACHE_HOME="$PWD/cache" imgtool process photos --out out';
    expect(run(command)).toMatchObject({ status: 0 });
    const { stdout } = run('find state config cache -type f 2>/dev/null; true');
    const left = stdout.split('\n').filter(Boolean);
    const named = rows('files-and-uninstall', 'Files that imgtool keeps, and how to remove it').flat();
    expect(
      named.filter((cell) => /^`imgtool\/index\.db` in your state|^`imgtool\/compiled` in/.test(cell)),
    ).toHaveLength(2);
    const known = /^(state\/imgtool\/index\.db(-\w+|\.runs\/.*)?|cache\/imgtool\/compiled\/.*)$/;
    expect(left).toContain('state/imgtool/index.db');
    expect(left.filter((path) => !known.test(path))).toEqual([]);
  });

  it('says how to upgrade, to remove imgtool, and to get the binding of SQLite', () => {
    const text = page('files-and-uninstall');
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(
      expect.arrayContaining(['Upgrading', 'Uninstalling', 'If SQLite cannot be loaded']),
    );
    const commands = [
      'systemctl disable --now imgtool',
      'npm rm --global imgtool',
      'npm rebuild better-sqlite3',
    ];
    expect(commands.filter((command) => !text.includes(command))).toEqual([]);
  });
});

describe('.imgtoolrc.example', () => {
  const commands = mentionedIn(EXAMPLE_FILE.replace(/^# ?/gm, '')).map(({ command }) => command);

  it('shows commands', () => {
    expect(commands).toContain('imgtool config');
  });

  it.each([...commands, 'imgtool process photos --preset blog'])('promises what `%s` does', (command) => {
    const { place, run } = makeReader();
    cpSync(join(ROOT, '.imgtoolrc.example'), join(place, '.imgtoolrc'));
    expect(run(command)).toMatchObject({ status: 0 });
  });
});

describe('the page of JSON', () => {
  it('shows a library example that runs', () => {
    const { place, run } = makeReader();
    const [example = ''] = blocks('json', 'js');
    writeFileSync(join(place, 'example.mjs'), example);
    const { status, stdout, stderr } = run(`'${process.execPath}' example.mjs`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('completed photos/umang.jpg 1\n');
    expect(stdout).toContain('completed: 7');
  });

  it('shows JSON with the fields there are, in their order', () => {
    const { run } = makeReader();
    const [command = ''] = blocks('json', 'sh');
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => shape(JSON.parse(line)));
    expect(lines(blocks('json', 'json')[0] ?? '')).toEqual(lines(run(command).stdout));
  });
});

describe('the page of settings', () => {
  it('shows a file that means what it says', () => {
    const { place, run } = makeReader();
    const [file = ''] = blocks('config', 'yaml');
    writeFileSync(join(place, '.imgtoolrc'), file);
    const { status, stdout } = run('imgtool config --json');
    expect(status).toBe(0);
    const { config } = JSON.parse(stdout) as { config: { key: string; text: string; origin: string }[] };
    const own = config.filter(({ origin }) => origin.endsWith('.imgtoolrc'));
    expect(Object.fromEntries(own.map(({ key, text }) => [key, text]))).toEqual({
      exclude: 'drafts/**',
      out: join(place, 'pictures'),
      preset: 'shop',
      'presets.shop': 'tile:w=400,h=400,format=webp,fit=cover; hero:w=1600,format=avif,q=55',
    });
  });
});
