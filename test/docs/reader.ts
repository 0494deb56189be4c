import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { makePlace } from '../place.ts';
import { ROOT } from './pages.ts';

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

/** The photographs of the fixtures, small: the examples are about what happens, not about how long it takes. */
let photos: string;
/** A TIFF of two pages. */
let scans: string;
beforeAll(async () => {
  photos = mkdtempSync(join(tmpdir(), 'imgtool-readme-'));
  const all = join(ROOT, 'test/fixtures/photos');
  for (const name of readdirSync(all).filter((one) => one.endsWith('.jpg')))
    await sharp(join(all, name)).resize(300).toFile(join(photos, name));
  scans = mkdtempSync(join(tmpdir(), 'imgtool-readme-'));
  const pages = ['wine.jpg', 'umang.jpg'].map((name) => join(photos, name));
  const size = { width: 200, height: 150 };
  const stills = await Promise.all(pages.map((path) => sharp(path).resize(size).png().toBuffer()));
  await sharp(stills, { join: { animated: true } })
    .tiff()
    .toFile(join(scans, 'letter.tif'));
});
afterAll(() => {
  for (const folder of [photos, scans]) rmSync(folder, { recursive: true, force: true });
});

/** A folder like the one the examples run in: photographs, an index of its own, `imgtool` in the PATH. */
export function makeReader() {
  const place = makePlace();
  for (const folder of ['photos', 'photographs', 'test/fixtures/photos'])
    cpSync(photos, join(place, folder), { recursive: true });
  cpSync(scans, join(place, 'scans'), { recursive: true });
  mkdirSync(join(place, 'more'));
  cpSync(join(photos, 'umang.jpg'), join(place, 'more/scan.jpg'));
  mkdirSync(join(place, 'bin'));
  symlinkSync(join(ROOT, 'bin/imgtool.js'), join(place, 'bin/imgtool'));
  mkdirSync(join(place, 'node_modules'));
  symlinkSync(ROOT, join(place, 'node_modules/imgtool'));
  const env = {
    PATH: [join(place, 'bin'), process.env.PATH].join(delimiter),
    HOME: place,
    XDG_STATE_HOME: join(place, 'state'),
    XDG_CONFIG_HOME: join(place, 'config'),
    IMGTOOL_JOBS: '1',
    IMGTOOL_LISTEN: '127.0.0.1:0',
    IMGTOOL_ADMIN: '127.0.0.1:0',
  };
  writeFileSync(join(place, 'secrets.txt'), `${'secret'.repeat(10)}\n`);
  const run = (command: string) => {
    const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
      cwd: place,
      env,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  /** Starts a command that does not end by itself. */
  const start = (command: string, more: Record<string, string> = {}) => {
    const child = spawn('bash', ['-c', command], { cwd: place, env: { ...env, ...more } });
    started.add(child);
    let text = '';
    const news = new EventEmitter();
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        news.emit('text');
      });
    }
    const closed = once(child, 'close');
    /** Resolves once this is in the output, also when it is there already. */
    const printed = (what: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const look = () => {
          const found = what.exec(text);
          if (found !== null) resolve(found);
        };
        news.on('text', look);
        child.on('close', () => reject(new Error(text)));
        look();
      });
    const stop = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      const [, by] = (await closed) as [number | null, NodeJS.Signals | null];
      return by;
    };
    return { pid: child.pid ?? 0, printed, stop };
  };
  return { place, run, start };
}
