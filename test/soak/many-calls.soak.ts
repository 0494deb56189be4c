import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { canSeeProcesses } from '../cli/group.ts';
import { openPlace } from '../cli/imgtool.ts';
import { picture, putOld } from '../cli/pictures.ts';

vi.setConfig({ testTimeout: 600_000 });

const SCRIPT = fileURLToPath(new URL('./many-calls.js', import.meta.url));
/** With its default size, V8's nursery of young objects alone grows by 30 MB in the first 200 calls, and then stays. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

interface Used {
  readonly call: number;
  readonly rss: number;
  readonly heap: number;
  readonly files: number;
}

it.skipIf(!canSeeProcesses)(
  'a process uses the same memory after 1,000 calls of processImages as after 100',
  async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture());
    const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, SCRIPT], { cwd: place.cwd });
    console.log(stdout);
    const all = stdout.trim().split('\n');
    const [first, last] = [all[0]!, all.at(-1)!].map((line) => JSON.parse(line) as Used);
    expect([first!.call, last!.call]).toEqual([100, 1_000]);
    expect(last!.files).toBe(first!.files);
    expect(last!.heap / first!.heap, 'heap').toBeLessThan(1.1);
    expect(last!.rss / first!.rss, 'resident').toBeLessThan(1.1);
  },
);
