import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { makePlace } from './place.ts';

const BIN = fileURLToPath(new URL('../bin/imgtool.js', import.meta.url));

/** Runs a bin with `--version` as Node of this version would. */
function runAs(version: string, bin = BIN) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, bin, '--version'], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it.each(['6.17.1', '18.20.8', '20.18.3'])('the program refuses Node %s and suggests a fix', (version) => {
  expect(runAs(version)).toEqual({
    status: 2,
    stdout: '',
    stderr:
      `error: imgtool needs Node 20.19 or newer, this is Node ${version}\n` +
      'fix: install a current Node.js, then run the same command again\n',
  });
});

it.each(['20.19.0', '22.0.0', '24.1.0', '100.0.0'])('the program accepts Node %s', (version) => {
  expect(runAs(version)).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: '',
  });
});

it('the program explains the build if it is not built yet', () => {
  const place = makePlace();
  cpSync(BIN, join(place, 'bin', 'imgtool.js'));
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
  const { status, stderr } = runAs(process.versions.node, join(place, 'bin', 'imgtool.js'));
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'error: imgtool is not built yet\nfix: npm install && npm run build\n',
  });
});

it('the program starts as an executable and as a script', () => {
  accessSync(BIN, constants.X_OK);
  const { status, stdout } = spawnSync(BIN, ['--version'], { encoding: 'utf8' });
  const script = spawnSync(process.execPath, ['-e', `import(${JSON.stringify(pathToFileURL(BIN))})`], {
    encoding: 'utf8',
  });
  expect([status, script.status]).toEqual([0, 2]);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
