import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { openPlace, type Place, SMALL } from './imgtool.ts';
import { noise, picture, putOld } from './pictures.ts';
import { hasTerminal, onTerminal } from './terminal.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

/** The first variant takes long enough to be reported, and the gate holds the second one. */
const LARGE = ['--variant', 'large:w=1200,format=avif', '--variant', 'small:w=30,format=avif'];

describe.skipIf(!hasTerminal)('on a terminal', () => {
  it('the bar and the images in work show finished variants before the first image has ended', async () => {
    putOld(place.at('photos/a.jpg'), await noise(1_200, 900));
    const gate = makeGate(place, { before: 'out', free: 1 });
    const session = place.start(['process', ...LARGE, '--out', 'out', 'photos'], onTerminal(gate));
    await session.line(/ 99% {3}0\/1 /);
    await session.line(/photos\/a\.jpg +1 of 2 /);
    gate.open();
    const { stdout, code } = await session.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('1 image in ');
  });

  it('`status --watch` has bar, rate, time left and the images in work, and ends with the page of `status`', async () => {
    for (let i = 0; i < 9; i++) putOld(place.at(`photos/${i}.jpg`), await picture({ seed: i }));
    const gate = makeGate(place, { free: 2 });
    const args = ['process', '--json', '--jobs', '1', ...SMALL, '--out', 'out', 'photos'];
    const session = place.start(args, gate);
    const [started] = await session.events('batch.started', 1);
    await session.jobs(2);
    const watching = place.start(['status', started!.batch, '--watch'], onTerminal());
    await watching.line(/━╸.*─.* 22% {3}2\/9 {3}- {3}ETA -/);
    await watching.line(/^ {3}\S*\/photos\/\d\.jpg/);
    gate.pass(2);
    await watching.line(/ 44% {3}4\/9 {3}[\d.,]+\/s {3}ETA \d+:\d\d/);
    gate.open();
    await session.ended;
    const { stdout, code } = await watching.ended;
    expect(code).toBe(0);
    const last = stdout.slice(stdout.lastIndexOf('Batch '));
    expect(last).toContain('finished');
    expect(last).not.toMatch(/[━─]|ETA/);
  });

  it('`status --watch` shows finished variants before the first image has ended', async () => {
    putOld(place.at('photos/a.jpg'), await noise(1_200, 900));
    const gate = makeGate(place, { before: 'out', free: 1 });
    const session = place.start(['process', '--json', ...LARGE, '--out', 'out', 'photos'], gate);
    const [started] = await session.events('batch.started', 1);
    const watching = place.start(['status', started!.batch, '--watch'], onTerminal());
    await watching.line(/ 99% {3}0\/1 /);
    await watching.line(/photos\/a\.jpg {2}1 of 2/);
    const { jobs } = await place.status(started!.batch, '--all');
    expect(jobs).toMatchObject([{ state: 'processing', part: { done: 1, total: 2 } }]);
    gate.open();
    await session.ended;
    expect((await watching.ended).code).toBe(0);
  });

  it('a watch shows its batch and how to stop it', async () => {
    place.put('photos/a.jpg', await picture());
    const session = place.start(['watch', ...SMALL, '--out', 'out', 'photos'], onTerminal());
    const line = await session.line(/batch +[0-9a-f]{8} {2}stop: Ctrl-C, or imgtool cancel [0-9a-f]{8}/);
    const [, id = ''] = /imgtool cancel ([0-9a-f]{8})/.exec(line) ?? [];
    const { stdout, code } = await place.run(['cancel', id]);
    expect(stdout).toContain(`Watch ${id} was stopped.`);
    expect(code).toBe(0);
    expect((await session.ended).code).toBe(130);
  });
});
