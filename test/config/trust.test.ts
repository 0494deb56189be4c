import { chownSync, lchownSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assertTrusted } from '../../src/config/files.ts';
import { failure, person } from './folders.ts';

const ME = 1_000;
const SOMEBODY = 1_001;
const CWD = 1_002;

/** Whether files with these owners are obeyed. */
function trusts(owners: number[], effective: number | undefined, env: NodeJS.ProcessEnv = {}): boolean {
  try {
    assertTrusted('/srv/.imgtoolrc', owners, { effective, sudo: env.SUDO_UID, ownerOfCwd: CWD });
    return true;
  } catch {
    return false;
  }
}

describe('a file of settings that was found', () => {
  it.each([
    ['the user', [ME, ME], ME, {}, true],
    ['root', [0, 0], ME, {}, true],
    ['somebody', [SOMEBODY, SOMEBODY], ME, {}, false],
    ['the owner of the working folder', [CWD, CWD], ME, {}, false],
    ['whoever called sudo', [ME, ME], 0, { SUDO_UID: '1000' }, true],
    ['somebody, under sudo', [SOMEBODY, SOMEBODY], 0, { SUDO_UID: '1000' }, false],
    ['the owner of the working folder, as root', [CWD, CWD], 0, {}, true],
    ['somebody, as root', [SOMEBODY, SOMEBODY], 0, {}, false],
    ['somebody, who called it sudo in words', [SOMEBODY, SOMEBODY], ME, { SUDO_UID: '1001x' }, false],
    ['the user, by a link of somebody', [SOMEBODY, ME], ME, {}, false],
    ['somebody, by a link of the user', [ME, SOMEBODY], ME, {}, false],
    ['root, by a link of the user', [ME, 0], ME, {}, true],
    ['somebody, where the system has no such numbers', [SOMEBODY, SOMEBODY], undefined, {}, true],
  ] as const)('and belongs to %s: %j for user %s', (_, owners, effective, env, isTrusted) => {
    expect(trusts([...owners], effective, env)).toBe(isTrusted);
  });

  it('is named with its owner and with two ways out', async () => {
    const error = await failure(() =>
      assertTrusted('/srv/.imgtoolrc', [4_242_424], { effective: ME, sudo: undefined, ownerOfCwd: CWD }),
    );
    expect(error.code).toBe('config');
    expect(error.message).toBe('/srv/.imgtoolrc: belongs to user 4242424, whose settings are not obeyed');
    expect(error.fix).toBe(
      'name it with --config /srv/.imgtoolrc if you trust it, or leave it out with --no-config',
    );
  });
});

/** Only root may give files away. */
const isRoot = process.geteuid?.() === 0;
if (!isRoot)
  console.warn('not tested, since only root may give files away: files of settings of other users');

describe.runIf(isRoot)('a file of settings of another user', () => {
  it.each(['.imgtoolrc', '.config/imgtool/config.yaml'])('stops the program: %s', async (path) => {
    const { load, write } = person();
    chownSync(write(path, 'force: true\nout: elsewhere'), SOMEBODY, SOMEBODY);
    const error = await failure(() => load());
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining('user 1001') });
  });

  it('is read where it is named, or left out', async () => {
    const { load, write } = person();
    const path = write('.imgtoolrc', 'jobs: 7');
    chownSync(path, SOMEBODY, SOMEBODY);
    expect((await load({ config: path })).jobs).toBe(7);
    expect((await load({}, { IMGTOOL_CONFIG: path })).jobs).toBe(7);
    expect((await load({ config: false })).warnings).toEqual([]);
  });

  it('is read where it belongs to whoever called sudo, or owns the working folder', async () => {
    const { load, write, cwd } = person();
    chownSync(write('.imgtoolrc', 'jobs: 7'), SOMEBODY, SOMEBODY);
    expect((await load({}, { SUDO_UID: String(SOMEBODY) })).jobs).toBe(7);
    chownSync(cwd, SOMEBODY, SOMEBODY);
    expect((await load()).jobs).toBe(7);
  });

  it('stops the program where only its link is the user’s own, and where only its link is another’s', async () => {
    const { load, write, home } = person();
    const path = write('elsewhere/settings.yaml', 'jobs: 7');
    const link = join(home, '.imgtoolrc');
    symlinkSync(path, link);
    expect((await load()).jobs).toBe(7);
    lchownSync(link, SOMEBODY, SOMEBODY);
    expect((await failure(() => load())).message).toContain(`${link}: belongs to`);
    lchownSync(link, 0, 0);
    chownSync(path, SOMEBODY, SOMEBODY);
    expect((await failure(() => load())).message).toContain(`${link}: belongs to`);
  });
});
