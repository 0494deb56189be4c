import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { openPlace, type Place } from './imgtool.ts';
import { A, AB, made, outputsOf, putPictures } from './mirroring.ts';
import { readIndex } from './recorded.ts';
import { verify } from './verifying.ts';

/** The commands with `forget` that `verify` suggests. */

let place: Place;
beforeEach(async () => {
  place = openPlace();
  await putPictures(place);
  await made(place, ...AB, 'photos');
});

const remove = (...paths: string[]) => {
  for (const path of paths) rmSync(place.at(path), { recursive: true });
};

/** Runs a command of imgtool that a message contains, as a shell does. */
async function typed(text: string) {
  const [, args = ''] = /imgtool (forget .*)$/m.exec(text) ?? [];
  const words = execFileSync('sh', ['-c', `for word in ${args}; do printf '%s\\n' "$word"; done`]);
  return place.run(words.toString().trimEnd().split('\n'));
}

describe('imgtool verify names the folders of lost sources, and no folder above them:', () => {
  /** One picture in each of these folders, as one batch. Then all are empty and the outputs are gone. */
  const lost = async (folders: readonly string[], ...args: string[]) => {
    await putPictures(
      place,
      folders.map((folder) => `${folder}/p.jpg`),
    );
    const id = await made(place, ...A, '--out', 'lost', ...args, ...folders);
    remove('lost', ...folders);
    for (const folder of folders) mkdirSync(place.at(folder));
    return id;
  };
  const ADVICE = 'Bring their sources back, or if they are gone for good: imgtool forget';

  it('the folders of two libraries, and a third one beside them stays recorded', async () => {
    await lost(['disks/third']);
    const others = readIndex(place.index).outputs.map(({ path }) => path);
    const id = await lost(["disks/it's one", 'disks/two']);
    const { code, stdout } = await place.run(['verify', id]);
    const named = `'${place.at("disks/it's one").replace("'", `'\\''`)}' ${place.at('disks/two')}`;
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\n2 outputs verified, 2 not in order\n/)]);
    expect(stdout.endsWith(`\n${ADVICE} ${named}\n`), stdout).toBe(true);
    expect((await typed(stdout)).code).toBe(0);
    expect(readIndex(place.index).outputs.map(({ path }) => path)).toEqual(others);
  });

  it('three at a time, until no more is lost', async () => {
    const folders = ['a', 'b', 'c', 'd', 'e'].map((name) => `disks/${name}`);
    const id = await lost(folders, '--base', '.');
    const { stdout } = await place.run(['verify', id]);
    const named = folders.slice(0, 3).map((folder) => place.at(folder));
    expect(stdout).toContain(`${ADVICE} ${named.join(' ')}\nThen imgtool verify names 2 more folders.\n`);
    await typed(stdout);
    const rest = await place.run(['verify', id]);
    expect(rest.stdout.endsWith(`${ADVICE} ${place.at('disks/d')} ${place.at('disks/e')}\n`)).toBe(true);
    await typed(rest.stdout);
    expect((await verify(place)).document).toMatchObject({ verified: 12, wrong: 0, gone: 0 });
  });

  it('with --index if the index is not the usual one', async () => {
    const index = place.at('my index.db');
    await lost(['disk'], '--index', index);
    const found = await place.run(['verify', '--index', index]);
    expect(found.stdout.endsWith(`${ADVICE} ${place.at('disk')} --index '${index}'\n`)).toBe(true);
    place.put('lost/other.txt', 'so that the folder is not empty');
    const fixed = await place.run(['verify', '--fix', '--index', index]);
    const source = `${place.at('disk/p.jpg')} --index '${index}'`;
    expect(fixed.stdout).toContain(`if it is gone for good: imgtool forget ${source}\n`);
    expect((await typed(found.stdout)).code).toBe(0);
    const after = await place.run(['verify', '--index', index]);
    expect([after.code, after.stdout]).toEqual([0, 'No outputs to verify.\n']);
  });
});

describe('imgtool verify names forget, and its command works,', () => {
  it('for outputs that are missing with the sources of an empty folder', async () => {
    renameSync(place.at('photos'), place.at('away'));
    mkdirSync(place.at('photos'));
    remove(...outputsOf(['sub/e', 'sub/f'], 'ab'));
    const found = await place.run(['verify']);
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(
      /\nBring their sources back, or if they are gone for good: imgtool forget .*photos\/sub\n$/,
    );
    const fixed = await place.run(['verify', '--fix']);
    expect(fixed.stdout).toContain(
      `if it is gone for good: imgtool forget ${place.at('photos/sub/e.jpg')}\n`,
    );
    expect((await typed(found.stdout)).code).toBe(0);
    expect(await verify(place)).toMatchObject({ code: 0, document: { verified: 8, wrong: 0 } });
  });

  it('for an output folder that is gone, and for a path with spaces and quotes', async () => {
    const out = "our site's out";
    await made(place, ...AB, '--out', out, 'photos');
    remove(out, 'out');
    const { document, code } = await verify(place, '--fix');
    const fixes = [...new Set(document.problems.map(({ error }) => error?.fix ?? ''))];
    expect([code, fixes.length]).toEqual([1, 2]);
    for (const fix of fixes) {
      expect(fix).toMatch(/if it is gone for good: imgtool forget /);
      expect((await typed(fix)).code).toBe(0);
    }
    expect(await verify(place)).toMatchObject({ code: 0, document: { verified: 0, wrong: 0 } });
  });
});
