import { readFileSync } from 'node:fs';
import stringWidth from 'string-width';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { countsOf, finishedOf, has, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
/** Runs a command in a shell. The file `code` gets its exit code, because a pipe has the exit code of `head`. */
const shell = (script: string) => ['sh', '-c', script, 'sh'];
const FIRST_LINE = shell('{ "$@"; echo $? >code; } | head -n 1');
/** Does the same, and lets pictures through only once the reader is gone. */
const FIRST_THEN_WORK = shell('{ "$@"; echo $? >code; } | { head -n 1; exec <&-; mkdir "$TEST_GATE/open"; }');
const FIRST_ERROR_THEN_WORK = shell(
  '{ "$@" 2>&1 >/dev/null; echo $? >code; } | { head -n 1; exec <&-; mkdir "$TEST_GATE/open"; }',
);

let place: Place;
beforeEach(async () => {
  place = openPlace();
});
const exitCode = () => Number(readFileSync(place.at('code'), 'utf8'));
async function putMany(count: number, width = 120): Promise<void> {
  const one = await noise(width, Math.round((width * 3) / 4));
  for (let i = 0; i < count; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
}
const BATCH = ['process', ...SMALL, '--out', 'out', 'photos'];

describe('a reader that goes away', () => {
  it('stops `process --json | head -1` as Ctrl-C would: exit 141, no stack trace, nothing partial', async () => {
    await putMany(20);
    const sources = sourcesOf(place, 'photos');
    const { env } = makeGate(place, { free: 0 });
    const { stdout, stderr } = await place.run(['process', '--json', ...BATCH.slice(1)], {
      before: FIRST_THEN_WORK,
      env,
    });
    expect(stdout).toMatch(/^\{"v":1,"type":"batch.started".*\}\n$/);
    expect(stderr).not.toMatch(/EPIPE|\n\s+at |node:/);
    expect(exitCode()).toBe(141);
    const { stdout: listed } = await place.run(['list', '--json']);
    const [batch] = (JSON.parse(listed) as { batches: { state: string; counts: { cancelled: number } }[] })
      .batches;
    expect(batch?.state).toBe('cancelled');
    expect(batch?.counts.cancelled).toBeGreaterThan(0);
    await assertInvariants(place, { sources, outcome: { stdout, stderr, code: exitCode(), signal: null } });
    const again = await place.process();
    const { completed = 0, unchanged = 0 } = countsOf(again);
    expect([again.code, completed + unchanged]).toEqual([0, 20]);
  });

  it('stops a batch that writes text for people', async () => {
    await putMany(20);
    const sources = sourcesOf(place, 'photos');
    const { env } = makeGate(place, { free: 0 });
    await place.run([...BATCH, '--verbose'], { before: FIRST_ERROR_THEN_WORK, env });
    expect(exitCode()).toBe(141);
    await assertInvariants(place, { sources });
  });

  it('does not make `list | head -1` or `status | head -1` fail loudly', async () => {
    for (let i = 0; i < 300; i++) place.put(`photos/${i}.jpg`, '');
    const { batch } = finishedOf(await place.process());
    for (const args of [['list'], ['status', batch], ['status', batch, '--json', '--all'], ['presets']]) {
      const { stdout, stderr } = await place.run(args, { before: FIRST_LINE });
      expect(stdout.split('\n')).toHaveLength(2);
      expect(stderr).toBe('');
      expect([0, 141]).toContain(exitCode());
    }
  });
});

describe('a closed stream', () => {
  it('for errors does not stop a batch', async () => {
    await putMany(3);
    const outcome = await place.run(['process', '--json', ...BATCH.slice(1)], {
      before: shell('exec "$@" 2>&-'),
    });
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 3 }]);
  });

  it('for results does not affect a batch that writes none', async () => {
    await putMany(3);
    const outcome = await place.run(BATCH, { before: shell('exec "$@" >&-') });
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
    expect(outcome.code).toBe(0);
  });

  it('for input does no harm', async () => {
    await putMany(1);
    const outcome = await place.run(BATCH, { before: shell('exec "$@" <&-') });
    expect(outcome.code).toBe(0);
  });
});

describe('output to a pipe', () => {
  const SOME = [[...BATCH, '--verbose'], ['list'], ['doctor']];
  const ALL = [...SOME, ['presets'], ['config'], ['proces'], ['--help']];

  const textOf = async (commands: readonly string[][], env: Record<string, string>) => {
    const texts: string[] = [];
    for (const args of commands) {
      const { stdout, stderr } = await place.run(args, { env });
      texts.push(stdout.replaceAll('\t', ' '), stderr);
    }
    return texts.join('');
  };

  it.each([
    ['by default', ALL, { TERM: 'xterm-256color', COLORTERM: 'truecolor' }],
    ['with NO_COLOR', SOME, { NO_COLOR: '1', TERM: 'xterm-256color' }],
    ['with TERM=dumb', SOME, { TERM: 'dumb' }],
  ])('contains no control codes %s', async (_, commands, env) => {
    await putMany(2);
    place.put('photos/bad\u001b[31m.jpg', 'text');
    expect(await textOf(commands, env)).not.toMatch(CONTROL);
  });

  it('is plain ASCII if the locale is', async () => {
    await putMany(1);
    expect(await textOf(ALL, { LANG: 'C' })).toMatch(/^[\n -~]*$/);
  });

  it('has the summary of a batch on stderr and nothing on stdout', async () => {
    await putMany(2);
    const { stdout, stderr } = await place.run(BATCH);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/finished 2 in .*completed/);
  });

  it('contains only errors with --quiet', async () => {
    await putMany(2);
    expect(await place.run([...BATCH, '--quiet'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    place.put('photos/bad.jpg', 'text');
    const { stderr } = await place.run([...BATCH, '--quiet']);
    expect(stderr).toMatch(/^imgtool: error: photos\/bad\.jpg: .*\nimgtool: fix: .*\n$/);
  });
});

const scripted = has('script') && has('stty');
if (!scripted) console.warn('no `script` or `stty` here: what a terminal shows is not tested');

describe.skipIf(!scripted)('output to a terminal', () => {
  const onTerminal = async (args: string[], env: Record<string, string> = {}, columns = 40) => {
    // `script` takes the command as one string. Nothing in it needs quoting.
    const inner = (all: string) => `stty cols ${columns} rows 20; exec ${all}`;
    const before = shell(`script -qec "${inner('$*')}" /dev/null </dev/null`);
    return place.run(args, { before, env: { TERM: 'xterm-256color', ...env } });
  };
  /** Pieces of text between the codes that move the cursor. */
  const pieces = (stdout: string) =>
    stdout
      .replace(/\u001b\[[0-9;]*m/g, '')
      .split(/\r\n|\r|\n|\u001b\[[?0-9;]*[A-Za-z]|\u001b[78]/)
      .filter((piece) => piece !== '');

  it('is never wider than the terminal’s 40 columns', async () => {
    await putMany(30, 400);
    place.put(
      'photos/a file whose name is far too long for a narrow terminal 👩‍👩‍👧 写真写真写真.jpg',
      'text',
    );
    const { stdout, code } = await onTerminal(BATCH);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\u001b\[/);
    expect(pieces(stdout).filter((piece) => stringWidth(piece) > 40)).toEqual([]);
    expect(stdout).toContain('30');
  });

  it('leaves the cursor visible', async () => {
    await putMany(3);
    const { stdout } = await onTerminal(BATCH);
    const last = stdout.lastIndexOf('\u001b[?25h');
    expect(last).toBeGreaterThanOrEqual(stdout.lastIndexOf('\u001b[?25l'));
  });

  it('has no colour with NO_COLOR', async () => {
    await putMany(3);
    const { stdout } = await onTerminal(BATCH, { NO_COLOR: '1' });
    expect(stdout).not.toMatch(/\u001b\[[0-9;]*m/);
  });

  it('has no control codes with TERM=dumb', async () => {
    await putMany(3);
    const { stdout, code } = await onTerminal(BATCH, { TERM: 'dumb' });
    expect(code).toBe(0);
    expect(stdout.replaceAll('\r\n', '\n')).not.toMatch(CONTROL);
  });

  it('escapes names', async () => {
    putOld(place.at('photos/ok.jpg'), await picture());
    place.put('photos/bad\u001b[2J\u0007.jpg', 'text');
    const { stdout } = await onTerminal(BATCH, {}, 120);
    expect(stdout).toContain('bad\\x1b[2J\\x07.jpg');
    expect(stdout).not.toContain('\u0007');
  });
});
