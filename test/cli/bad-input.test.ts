import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { jpegOf } from '../image/jpegs.ts';
import { countsOf, finishedOf, jobOf, type Outcome, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { noise, picture, putOld } from './pictures.ts';

const SVG =
  '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="80" height="60"><rect width="80" height="60" fill="red"/></svg>';
const PDF = '%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n1 0 obj\n<<>>\nendobj\n';
const BMP = Buffer.concat([
  Buffer.from('BM'),
  Buffer.from([0x3a, 0, 0, 0, 0, 0, 0, 0, 0x36, 0, 0, 0, 0x28, 0, 0, 0]),
  Buffer.alloc(40),
]);
const ICO = Buffer.concat([Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0]), Buffer.alloc(64)]);
const HEIC = Buffer.concat([
  Buffer.from([0, 0, 0, 24]),
  Buffer.from('ftypheic\0\0\0\0mif1heic'),
  Buffer.alloc(64),
]);

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/good.jpg'), await picture());
});

/** What the event, `status` and the screen report about one failed source. */
type Bad = readonly [path: string, code: string, message: RegExp, fix: RegExp];

async function assertFailed(outcome: Outcome, bad: readonly Bad[]): Promise<void> {
  const { batch, counts } = finishedOf(outcome);
  expect([outcome.code, counts.failed, counts.completed]).toEqual([1, bad.length, 1]);
  const { jobs } = await place.status(batch);
  const { stdout, code: exit } = await place.run(['status', batch]);
  expect(exit).toBe(0);
  const shown = stdout.replace(/\s+/g, ' ');
  expect(jobs).toHaveLength(bad.length);
  for (const [source, code, message, fix] of bad) {
    const { error, state } = jobOf(outcome, source);
    expect([state, error?.code], source).toEqual(['failed', code]);
    expect(error?.message, source).toMatch(message);
    expect(error?.fix, source).toMatch(fix);
    expect(jobs).toContainEqual(
      expect.objectContaining({ source: place.at(source), state: 'failed', error }),
    );
    expect(shown).toContain(error?.fix);
    expect(outcome.stderr).toContain(`error: ${source}: `);
    expect(outcome.stderr).toContain(`fix: ${error?.fix}`);
  }
}

describe('sources that cannot be processed', () => {
  it('each fail with a code, a reason and a fix, and the good source beside them is completed', async () => {
    const torn = await Promise.all((['jpeg', 'png'] as const).map((format) => noise(200, 150, format)));
    const half = (bytes: Buffer, part = 0.5) => bytes.subarray(0, Math.floor(bytes.length * part));
    const wide = await picture({ width: 300, height: 200, format: 'png' });
    const cases: [string | Buffer, ...Bad][] = [
      ['dear diary', 'notes.jpg', 'not_an_image', /content is text/, /--exclude/],
      [PDF, 'scan.jpg', 'unsupported_format', /cannot read PDF/, /export its pages/],
      ['<!doctype html><html></html>', 'page.png', 'not_an_image', /HTML/, /--exclude/],
      ['', 'empty.jpg', 'not_an_image', /empty/, /copy the file again/],
      [Buffer.alloc(5_000), 'zeros.jpg', 'not_an_image', /zeros/, /./],
      [BMP, 'x.bmp', 'corrupt', /damaged or cut short/, /copy the file again/],
      [ICO, 'x.ico', 'corrupt', /none of its pictures/, /copy the file again/],
      [HEIC, 'x.heic', 'corrupt', /damaged or cut short/, /copy the file again/],
      [jpegOf({ precision: 12 }), '12.jpg', 'unsupported_format', /cannot read 12-bit JPEG/, /8-bit JPEG/],
      [SVG, 'x.svg', 'unsupported_format', /SVG/, /--allow-svg/],
      [SVG, 'svg.jpg', 'unsupported_format', /SVG/, /--allow-svg/],
      [half(torn[0]!), 'half.jpg', 'corrupt', /damaged or cut short/, /copy .* again.*--lenient/],
      [half(torn[1]!), 'half.png', 'corrupt', /damaged or cut short/, /copy .* again.*--lenient/],
      [half(torn[0]!, 0.01), 'header.jpg', 'corrupt', /damaged or cut short/, /^copy the file again$/],
      [wide, 'wide.png', 'too_large', /300 x 200 px/, /--limit-pixels/],
      [claiming(30_000), 'bomb.png', 'too_large', /30,000 x 30,000/, /--limit-pixels 900M/],
    ];
    for (const [bytes, name] of cases) place.put(`photos/${name}`, bytes);
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.process('--limit-pixels', '50000');
    await assertFailed(
      outcome,
      cases.map(([, name, ...bad]) => [`photos/${name}`, ...bad]),
    );
    await assertInvariants(place, { sources, outcome });
    expect(place.files('out')).toEqual(['good_a.webp', 'good_b.webp']);
    const more = await place.process('--limit-pixels', '60000', '--include', '{good,wide}.*');
    expect([more.code, countsOf(more)]).toEqual([0, { completed: 1, unchanged: 1 }]);
  });

  it('fail if a list names an absent file, a folder or a FIFO, and nothing waits for the FIFO', async () => {
    mkdirSync(place.at('photos/folder.jpg'));
    execFileSync('mkfifo', [place.at('photos/pipe.jpg')]);
    const names = ['good', 'gone', 'folder', 'pipe'].map((name) => `photos/${name}.jpg`);
    place.put('list', `${names.join('\n')}\n`);
    await assertFailed(await place.process('--files-from', 'list'), [
      ['photos/gone.jpg', 'source_missing', /not there/, /./],
      ['photos/folder.jpg', 'source_unreadable', /is a folder/, /./],
      ['photos/pipe.jpg', 'source_unreadable', /is a pipe/, /./],
    ]);
    const walked = await place.process('--base', '.');
    expect([walked.code, countsOf(walked)]).toEqual([0, { unchanged: 1 }]);
  });

  it.skipIf(process.getuid?.() === 0)(
    'fail if they are unreadable (skipped for root, who can read them)',
    async () => {
      place.put('photos/secret.jpg', await picture({ seed: 5 }));
      chmodSync(place.at('photos/secret.jpg'), 0);
      await assertFailed(await place.process(), [
        ['photos/secret.jpg', 'source_unreadable', /may not be read/, /permission/],
      ]);
    },
  );

  it('are rendered with a warning if a JPEG has damaged parts that the decoder can pass', async () => {
    const whole = await noise(400, 300);
    const hole = Buffer.concat([
      whole.subarray(0, whole.length / 2),
      whole.subarray(whole.length / 2 + 2_000),
    ]);
    place.put('photos/hole.jpg', hole);
    const outcome = await place.process();
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 2 }]);
    expect(jobOf(outcome, 'photos/hole.jpg')).toMatchObject({ state: 'completed', degraded: true });
    expect(jobOf(outcome, 'photos/good.jpg').degraded).toBeUndefined();
    expect(outcome.stderr).toMatch(/photos\/hole\.jpg: has damaged parts inside[\s\S]*look at its outputs/);
    expect(outcome.stderr.match(/damaged parts/g)).toHaveLength(1);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('are rendered as far as they can be decoded with --lenient, and reported as damaged', async () => {
    const whole = await noise(200, 150);
    place.put('photos/half.jpg', whole.subarray(0, whole.length / 2));
    const outcome = await place.process('--lenient');
    expect(outcome.code).toBe(0);
    expect(jobOf(outcome, 'photos/half.jpg')).toMatchObject({ state: 'completed', degraded: true });
    const { stdout } = await place.run(['status', 'last']);
    const shown =
      / {2}aside {4}1 image is damaged, and its outputs show what could be read:\s+\S*\/half\.jpg\n/;
    expect(stdout).toMatch(shown);
    const all = await place.run(['status', 'last', '--all']);
    expect(all.stdout).toMatch(shown);
    expect(all.stdout).toContain('half.jpg (damaged)');
  });
});

describe('a source whose extension names another format', () => {
  it('is read in the format of its bytes', async () => {
    const names = {
      png: 'p.jpg',
      jpeg: 'j.png',
      webp: 'w.gif',
      tiff: 't.jpeg',
      avif: 'a.heic',
      gif: 'g.bmp',
    };
    for (const [seed, format] of (['png', 'jpeg', 'webp', 'tiff', 'avif', 'gif'] as const).entries()) {
      place.put(`photos/${names[format]}`, await picture({ seed: seed + 10, format }));
    }
    const outcome = await place.process();
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 7 }]);
    for (const name of Object.values(names)) {
      expect(jobOf(outcome, `photos/${name}`)).toMatchObject({ width: 80, height: 60 });
    }
  });
});

describe('a picture of a format that cannot be read', () => {
  it.each([
    ['JPEG XL', 'a.jxl', [0xff, 0x0a]],
    ['JPEG 2000', 'a.jp2', [0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20, 0x0d, 0x0a, 0x87, 0x0a, 0, 0, 0, 20]],
  ])('fails with words about the decoder and a fix: %s', async (format, name, start) => {
    place.put(
      `photos/${name}`,
      Buffer.concat([Buffer.from(start), Buffer.from('ftypjp2 '), Buffer.alloc(40)]),
    );
    const { code, stderr } = await place.run(['process', 'photos', '--out', 'out']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`${name}: the decoder cannot read ${format}\n`),
    ]);
    expect(stderr).toContain('fix: convert it to JPEG or PNG first\n');
  });
});

describe('an SVG', () => {
  it('is cropped within the limit of pixels, also where the crop is enlarged', async () => {
    place.put('photos/x.svg', SVG);
    const args = ['--allow-svg', '--limit-pixels', '100000', '--variant', 'part:crop=0:0:8:6,w=80'];
    const { outputs } = jobOf(await place.process(...args), 'photos/x.svg');
    expect(outputs).toMatchObject([{ width: 80, height: 60 }]);
  });

  it('is rendered with --allow-svg', async () => {
    place.put('photos/x.svg', SVG);
    const outcome = await place.process('--allow-svg');
    expect(jobOf(outcome, 'photos/x.svg')).toMatchObject({ state: 'completed', width: 80, height: 60 });
  });

  it('never includes a file beside it', async () => {
    const inner = '<image href="good.jpg" width="80" height="60"/></svg>';
    place.put('photos/x.svg', SVG.replace('</svg>', inner).replace('fill="red"', 'fill="#00f"'));
    const outcome = await place.process('--allow-svg');
    expect(jobOf(outcome, 'photos/x.svg')).toMatchObject({ dominantColor: '#0000ff' });
  });

  it('is refused again without the flag, with the same message as an SVG that was never rendered', async () => {
    putOld(place.at('photos/x.svg'), Buffer.from(SVG));
    await place.process('--allow-svg');
    const outcome = await place.process();
    putOld(place.at('photos/new.svg'), Buffer.from(SVG.replace('red', 'blue')));
    const { error } = jobOf(await place.process(), 'photos/new.svg');
    expect(jobOf(outcome, 'photos/x.svg')).toMatchObject({ state: 'failed', error });
    expect(error?.code).toBe('unsupported_format');
    expect(jobOf(await place.process('--allow-svg'), 'photos/x.svg').state).toBe('unchanged');
  });
});

describe('a batch that has only bad sources', () => {
  it('runs to its end, exits 1 and reports every failure', async () => {
    for (let i = 0; i < 30; i++) place.put(`bad/${i}.jpg`, `text ${i}`);
    const outcome = await place.run(['process', '--json', 'bad']);
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { failed: 30 }]);
    expect(outcome.stderr.match(/^imgtool: error: /gm)).toHaveLength(30);
  });
});

/** A PNG whose header claims a square with sides of this many pixels. */
function claiming(side: number): Buffer {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000000000000008020000000000000000', 'hex');
  png.writeUInt32BE(side, 16);
  png.writeUInt32BE(side, 20);
  let crc = ~0;
  for (const byte of png.subarray(12, 29)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  png.writeUInt32BE(~crc >>> 0, 29);
  const idat = Buffer.from('0000000c4944415408d763f8cfc00000030101000018dd8db0', 'hex').subarray(0, 24);
  return Buffer.concat([png.subarray(0, 33), idat, Buffer.from('0000000049454e44ae426082', 'hex')]);
}
