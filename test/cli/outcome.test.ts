import { rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { openScreen } from '../report/screen.ts';
import { makeGate } from './gate.ts';
import { finishedOf, jobOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

/** What a person reads after a batch: on a terminal (`bar`) and in a log (`plain`). */
let place: Place;
beforeEach(() => {
  place = openPlace();
});
const run = (...args: string[]) => place.run(['process', ...SMALL, '--out', 'out', ...args, 'photos']);
const bar = (...args: string[]) => run('--progress', 'bar', ...args);

describe('a batch with failures', () => {
  it('has no tick, and shows forty failures with the same cause once', async () => {
    putOld(place.at('photos/good.jpg'), await picture());
    for (let i = 0; i < 40; i++) place.put(`photos/bad${i}.jpg`, `${i} is no picture`);
    const seen = await bar();
    expect(seen.code).toBe(1);
    expect(seen.stderr).toMatch(/ ✗ 1 of 41 images in .*, 40 failed/);
    expect(seen.stderr).not.toContain('✓');
    expect(seen.stderr.match(/fix: /g)).toHaveLength(1);
    expect(seen.stderr).toContain('… 40 in all');
    const logged = await run();
    expect(logged.code).toBe(1);
    expect(logged.stderr.match(/error: photos\/bad\d+\.jpg: not an image/g)).toHaveLength(40);
    expect(logged.stderr.match(/fix: /g)).toHaveLength(1);
    expect(logged.stderr).toMatch(/imgtool: 40 failed: not an image.*: (photos\/bad\d+\.jpg, ){4}\.\.\.\n/);
    const json = await place.process();
    expect(jobsOf(json).filter(({ state, error }) => state === 'failed' && error?.fix)).toHaveLength(40);
  });

  it('suggests a retry only where a retry can help', async () => {
    putOld(place.at('photos/good.jpg'), await picture());
    place.put('photos/bad.jpg', 'no picture');
    const useless = 'A retry alone does not help: first do what the fix lines say.';
    for (const { stderr } of [await run(), await bar()]) {
      expect(stderr).toContain(useless);
      expect(stderr).not.toContain('imgtool retry');
    }
    const status = await place.run(['status', 'last']);
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining(useless)]);
    expect(status.stdout).not.toContain('imgtool retry');
    place.put('out/good_a.webp', 'made by somebody else');
    rmSync(place.index, { recursive: true });
    for (const { stderr } of [await run(), await bar()]) {
      expect(stderr).toContain('imgtool retry ');
      expect(stderr).not.toContain(useless);
    }
    expect((await place.run(['status', 'last'])).stdout).toContain('Retry the failed: imgtool retry ');
  });

  it('has the time of failed jobs in events and in the history', async () => {
    place.put('photos/bad.jpg', 'no picture');
    const outcome = await place.process();
    const { ms } = jobOf(outcome, 'photos/bad.jpg');
    expect(ms).toEqual({ digest: 0, decode: 0, encode: 0, commit: 0, total: expect.any(Number) });
    const { jobs } = await place.status(finishedOf(outcome).batch);
    expect(jobs).toMatchObject([{ state: 'failed', ms }]);
    const { stdout } = await place.run(['status', 'last', '--all']);
    expect(stdout).toMatch(/failed .* 0 +[\d.]+m?s {2}\S+bad\.jpg\n {4}not an image.*\n {4}fix: /);
  });
});

describe('a batch that Ctrl-C stops', () => {
  it('leaves no rows of its display on the screen, and loses none above them', async () => {
    const one = await noise(120, 90);
    for (let i = 0; i < 8; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
    const gate = makeGate(place, { free: 0 });
    const session = place.start(
      ['process', '--progress', 'bar', '--jobs', '3', '--out', 'out', 'photos'],
      gate,
    );
    await gate.held(session, 3);
    session.signal('SIGINT', 'group');
    await session.line(/Stopping/, 'stderr');
    for (const done of [1, 2]) {
      gate.pass(1);
      await session.line(new RegExp(`completed ${done}`), 'stderr');
    }
    gate.open();
    const { stderr, signal } = await session.ended;
    expect(signal).toBe('SIGINT');
    const screen = openScreen(80);
    screen.write(stderr);
    const [first, second, third] = screen.lines();
    expect([first, second]).toEqual([
      expect.stringMatching(/^ Stopping: finishing \d images?, dropping \d/),
      '',
    ]);
    expect(third).toMatch(/^ ■ Cancelled after \d of 8\./);
    expect(screen.lines().join('\n')).not.toMatch(/photos\/|imgtool process|━/);
  });
});

describe('the outputs of a batch', () => {
  it('are counted as rendered, linked, copied and kept', async () => {
    const bytes = await picture();
    putOld(place.at('photos/a.jpg'), bytes);
    putOld(place.at('photos/copy.jpg'), bytes);
    const first = await run();
    expect([first.code, first.stderr]).toEqual([
      0,
      expect.stringMatching(/outputs=4 \(2 rendered, 2 linked\) out=out\n/),
    ]);
    rmSync(place.at('out/a_b.webp'));
    rmSync(place.at('out/copy_b.webp'));
    putOld(place.at('photos/new.jpg'), await picture({ seed: 2 }));
    const again = await place.process();
    const actions = (source: string) => jobOf(again, source).outputs?.map(({ action }) => action);
    expect(actions('photos/new.jpg')).toEqual(['rendered', 'rendered']);
    expect([actions('photos/a.jpg'), actions('photos/copy.jpg')].sort()).toEqual([
      ['kept', 'linked'],
      ['kept', 'rendered'],
    ]);
    expect((await bar('--force', '--duplicates', 'copy')).stderr).toMatch(/Outputs {3}6 files \(\d rendered/);
  });

  it('are named after a run with nothing to do', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    await run();
    expect((await bar()).stderr).toMatch(/Outputs {3}2 files \(2 kept\) {2}-> out\n/);
    expect((await run()).stderr).toMatch(/outputs=2 \(2 kept\) out=out\n/);
    const { stdout } = await place.run(['status', 'last', '--all']);
    expect(stdout).toContain(`The outputs of unchanged images are in ${place.at('out')}\n`);
  });

  it('are listed by `status --all`, one path a line', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    await run();
    const { code, stdout } = await place.run(['status', 'last', '--all']);
    expect(code).toBe(0);
    const listed = stdout.split('\n').filter((line) => line.endsWith('.webp'));
    expect(listed).toEqual(['a', 'b'].map((variant) => `    ${place.at(`out/a_${variant}.webp`)}`));
  });

  it('and unchanged images have columns in a piped list', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    await run();
    await run();
    const { stdout } = await place.run(['list']);
    const [titles = [], newest = []] = stdout.split('\n').map((line) => line.split('\t'));
    expect(titles.slice(-3)).toEqual(['duplicate', 'unchanged', 'cancelled']);
    expect([newest[titles.indexOf('completed')], newest[titles.indexOf('unchanged')]]).toEqual(['0', '1']);
  });
});

describe('a dry run', () => {
  it('prints the path of each output, one a line, and never says that something was done', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    putOld(place.at('photos/sub/b.jpg'), await picture({ seed: 2 }));
    place.put('photos/bad.jpg', 'no picture');
    const paths = ['out/a_a.webp', 'out/a_b.webp', 'out/sub/b_a.webp', 'out/sub/b_b.webp'];
    const { code, stdout, stderr } = await run('--dry-run');
    expect([code, stdout]).toEqual([1, `${paths.join('\n')}\n`]);
    expect(stderr).toMatch(
      /imgtool: dry run of 3 in .*: would write 4 files \(2 variants x 2 images\) to out; 1 would fail\n/,
    );
    const seen = await bar('--dry-run');
    expect(seen.stdout).toBe(stdout);
    expect(seen.stderr).toMatch(/ ○ Dry run of 3 images in .*: nothing was written\n/);
    for (const text of [stderr, seen.stderr])
      expect(text).not.toMatch(/finished|completed|✓|imgtool (retry|status)/);
    const json = await place.process('--dry-run');
    expect(jobsOf(json).flatMap(({ wouldWrite = [] }) => wouldWrite)).toEqual(paths);
    expect(json.stdout.split('\n').filter((line) => /^out/.test(line))).toEqual([]);
    const quiet = await run('--dry-run', '--quiet');
    expect([quiet.code, quiet.stdout]).toEqual([1, stdout]);
    expect(quiet.stderr).toMatch(/^imgtool: error: photos\/bad\.jpg: .*\nimgtool: fix: .*\n$/);
    expect(place.files('.').filter((file) => file.startsWith('out'))).toEqual([]);
    await run();
    expect((await run('--dry-run')).stdout, 'nothing is left to write').toBe('');
  });
});
