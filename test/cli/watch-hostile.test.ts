import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, openPlace, type Place, type Session } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';
import { assertStopped, completed, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

/** Paths that are no pictures, each with the reason for skipping it. All are in `photos`. */
async function putStrange(): Promise<{ strange: Record<string, string>; tidy(): void }> {
  symlinkSync('..', place.at('photos/loop'));
  symlinkSync('me.jpg', place.at('photos/me.jpg'));
  symlinkSync('nowhere.jpg', place.at('photos/dangling.jpg'));
  execFileSync('mkfifo', [place.at('photos/pipe.jpg')]);
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(place.at('photos/socket.jpg'), resolve);
  });
  const name = Buffer.concat([
    Buffer.from(place.at('photos/')),
    Buffer.from([0x66, 0xff, 0xfe]),
    Buffer.from('.jpg'),
  ]);
  writeFileSync(name, await picture({ seed: 7 }));
  place.put('photos/x.jpg/good.jpg', await picture({ seed: 8 }));
  place.put('photos/good.jpg', await picture({ seed: 9 }));
  const strange = {
    'photos/loop': 'symlink',
    'photos/me.jpg': 'symlink',
    'photos/dangling.jpg': 'symlink',
    'photos/pipe.jpg': 'not_regular',
    'photos/socket.jpg': 'not_regular',
    'photos/f\ufffd\ufffd.jpg': 'name_not_utf8',
  };
  const tidy = () => {
    server.close();
    unlinkSync(name);
  };
  return { strange, tidy };
}

async function assertPassedOver(session: Session, strange: Record<string, string>): Promise<void> {
  const wanted = Object.entries(strange);
  const events = await session.events('passed_over', wanted.length);
  expect(Object.fromEntries(events.map(({ path, reason }) => [path, reason]))).toEqual(strange);
}

const GOOD = completed(['photos/good.jpg', 'photos/x.jpg/good.jpg']);

describe('links, pipes, sockets, odd names and folders named like pictures', () => {
  it.each([
    ['are skipped with a reason when they arrive', []],
    ['are skipped with a reason with --follow-symlinks', ['--follow-symlinks']],
    ['are skipped with a reason when scans find them', ['--poll']],
  ])('%s, and everything else is processed', async (_title, more) => {
    const session = startWatch(place, '--verbose', ...more);
    await session.event('watching');
    const { strange, tidy } = await putStrange();
    await assertPassedOver(session, strange);
    await session.jobs(2);
    await session.scans(3);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(GOOD);
    expect(outcome.stdout.match(/"type":"passed_over"/g), 'each is reported once').toHaveLength(6);
    tidy();
    await assertStopped(place, outcome);
  });

  it('are skipped with a reason and reported once if they existed before', async () => {
    const { strange, tidy } = await putStrange();
    const session = startWatch(place, '--verbose');
    await assertPassedOver(session, strange);
    await session.jobs(2);
    await session.scans(3);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(GOOD);
    expect(outcome.stdout.match(/"type":"passed_over"/g)).toHaveLength(6);
    tidy();
    await assertStopped(place, outcome);
  });

  it('are processed once they are pictures', async () => {
    symlinkSync('nowhere.jpg', place.at('photos/a.jpg'));
    execFileSync('mkfifo', [place.at('photos/b.jpg')]);
    const session = startWatch(place, '--verbose');
    await session.events('passed_over', 2);
    for (const [seed, name] of ['a.jpg', 'b.jpg'].entries()) {
      const whole = place.put(`whole-${name}`, await picture({ seed }));
      execFileSync('mv', [whole, place.at('photos', name)]);
    }
    await session.jobs(2);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['photos/a.jpg', 'photos/b.jpg']));
    await assertStopped(place, outcome);
  });
});

describe('new files with hostile names', () => {
  it('are processed and reported as valid JSON', async () => {
    const names = [
      'new\nline.jpg',
      'esc\u001b[31m.jpg',
      '-rf.jpg',
      ' .jpg',
      'a\\b.jpg',
      '[Q=1]*?.jpg',
      '\u202egpj.jpg',
    ];
    const session = startWatch(place);
    await session.event('watching');
    for (const [seed, name] of names.entries())
      putOld(place.at(`photos/${name}/${name}`), await picture({ seed }));
    await session.jobs(names.length);
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(names.map((name) => `photos/${name}/${name}`)));
    expect(countsOf(outcome)).toEqual({ completed: names.length });
    await assertStopped(place, outcome);
  });
});
