import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type Group, KEYS, longFlag, SETTINGS } from '../../src/config/settings.ts';
import { addSettings, flagsOf } from '../../src/config.ts';
import { person } from './folders.ts';

function command(groups?: readonly Group[]): Command {
  return addSettings(new Command('process').exitOverride().argument('[paths...]'), groups);
}

const parsed = (...args: readonly string[]) => flagsOf(command().parse(args, { from: 'user' }).opts());

describe('the flags', () => {
  it('are one for each setting, in groups of the help', () => {
    const help = command().configureHelp({ helpWidth: 110 }).helpInformation();
    // What is on by itself is shown by the flag that turns it off.
    const shown = KEYS.map((key) => (SETTINGS[key].initial === true ? `--no-${key}` : longFlag(key)));
    for (const flag of shown) expect(help).toContain(` ${flag}`);
    const groups = [
      'Watching:',
      'Inputs:',
      'Outputs:',
      'Limits:',
      'Service:',
      'Display:',
      'Settings:',
      'Options:',
    ];
    expect(help.match(/^\w+:$/gm)?.filter((group) => group !== 'Arguments:')).toEqual(groups);
    expect(help).toContain('(default: 268M)');
    expect(help).not.toContain('--no-force');
  });

  it('can be of some groups only', () => {
    const help = command(['display', 'settings']).helpInformation();
    expect(help).toContain('--json');
    expect(help).toContain('--no-config');
    expect(help).not.toContain('--out');
    expect(help).not.toContain('--files-from');
  });

  it('that say how work is displayed are taken where there is none, and not told of', () => {
    const looking = command(['display', 'settings']);
    expect(looking.helpInformation()).not.toMatch(/--(quiet|verbose|progress)/);
    const options = looking.parse(['-q', '-v', '--progress', 'none'], { from: 'user' }).opts();
    expect(flagsOf(options)).toEqual({ quiet: true, verbose: true, progress: 'none' });
    expect(command(['work', 'display']).helpInformation()).toMatch(/--quiet.*--verbose.*--progress/s);
  });

  it('of a mirror take a value only after an equals sign', () => {
    expect(parsed('--mirror', 'all')).toEqual({ mirror: true });
    expect(parsed('--mirror=all', 'photos')).toEqual({ mirror: 'all' });
    expect(parsed('--no-mirror')).toEqual({ mirror: false });
    expect(() => parsed('--mirror=some')).toThrow("unknown option '--mirror=some'");
  });

  it('that are not given are not there', () => {
    expect(parsed('a.jpg')).toEqual({});
  });

  it('become settings by their keys', () => {
    const flags = parsed(
      ...['--out', 'o', '-n', '--limit-pixels', '5M', '--variant', 'a:w=1', '--variant', 'b:w=2'],
      ...['--include', '*.x', '--no-force', '-q', '-v', '--config', 'c.yaml'],
    );
    expect(flags).toEqual({
      out: 'o',
      dryRun: true,
      limitPixels: '5M',
      variants: ['a:w=1', 'b:w=2'],
      include: ['*.x'],
      force: false,
      quiet: true,
      verbose: true,
      config: 'c.yaml',
    });
  });

  it('of one run stay with their command', () => {
    const options = command().parse(['-0', '--files-from', '-', '--no-config'], { from: 'user' }).opts();
    expect(options).toMatchObject({ nul: true, filesFrom: '-' });
    expect(flagsOf(options)).toEqual({ config: false });
  });

  it('turn off what a file turns on', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'force: true');
    expect((await load()).force).toBe(true);
    expect((await load(parsed('--no-force'))).force).toBe(false);
  });
});
