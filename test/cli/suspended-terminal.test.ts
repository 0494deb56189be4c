import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { canSeeProcesses, membersOf, until } from './group.ts';
import { has, openPlace, SMALL } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

const canTry = canSeeProcesses && has('script') && has('stty') && has('bash');

it.skipIf(!canTry)(
  'Ctrl-Z shows the cursor before the shell is back, and fg draws the display again',
  async () => {
    const place = openPlace();
    for (const seed of [1, 2]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
    const gate = makeGate(place);
    // A shell with job control, as people use it. It continues the batch as soon as the batch is suspended.
    const inShell = 'stty cols 100 rows 24; "$@"; echo suspended; fg >/dev/null';
    place.put('shell.sh', inShell);
    const script = 'exec script -qec "bash -m shell.sh $*" /dev/null </dev/null';
    const session = place.start(['process', ...SMALL, '--out', 'out', 'photos'], {
      before: ['sh', '-c', script, 'sh'],
      env: { ...gate.env, TERM: 'xterm-256color' },
    });
    const [child = 0] = await gate.held(session);
    const group = Number(readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]!.split(' ')[2]);
    let seen = '';
    session.child.stdout?.on('data', (text: string) => {
      seen += text;
    });
    process.kill(-group, 'SIGTSTP');
    await until('the display is drawn again', () => seen.includes(HIDE));
    gate.open();
    const { stdout, code } = await session.ended;
    expect([code, membersOf(group)]).toEqual([0, []]);
    // The cursor is hidden, shown before the shell is back, hidden again and shown at the end.
    const steps = stdout.match(/\u001b\[\?25[lh]|suspended|2 images in/g);
    expect(steps).toEqual([HIDE, SHOW, 'suspended', HIDE, SHOW, '2 images in']);
    expect(place.files('out')).toHaveLength(4);
  },
);
