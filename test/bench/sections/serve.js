import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { commented, corpusOf } from '../corpus.js';
import { median, range, ratio, table } from '../figures.js';
import { processed, processing } from '../peers/imgtool.js';
import { run, tell } from '../run.js';
import { completed, getOf, jobsIn, load, uploadOf } from '../service/client.js';
import { bareRoute, fastapiService, imgtoolService } from '../service/servers.js';

const CONNECTIONS = 8;
/** Milliseconds of a round of requests for the state of a job. */
const ASKING = 3_000;
const POLL = { batch: 20, single: 2 };
const WORKERS = 2;
const PRESETS = ['archive', 'web'];
/** Bytes of the photograph that is sent to an idle server. */
const TYPICAL = 1_800_000;

/** The service, against its parts and against others. */
export async function* serve(options) {
  const { place, rounds } = options;
  const ours = await imgtoolService(place);
  const peer = await fastapiService(place, WORKERS);
  const services = [ours, ...(peer.missing === undefined ? [peer] : [])];
  const bench = { ...options, services };
  yield [
    '### Service',
    '',
    `\`imgtool serve\` without a limit of uploads, with tokens, ${rounds} rounds in turn. The ratio is that of each round ` +
      'to the first line, as the median of the rounds. The client is one process on the same machine, with sockets that ' +
      'stay open; its share is the part of one core that it has used.',
    ...(peer.missing === undefined
      ? [
          '',
          `Beside it: ${peer.version}; ${WORKERS} workers, one process of uvicorn with uvloop and httptools.`,
        ]
      : ['', `Not found: ${peer.missing}.`]),
  ];
  yield await status(bench);
  yield await uploads(bench);
  yield await photographs(bench);
  yield await single(bench);
  for (const { stop } of services) await stop();
}

/** The state of a job, that of one that is completed. */
async function status({ services, folder, rounds }) {
  const [{ path: photo }] = corpusOf(folder).files;
  const asked = [];
  let answer;
  for (const server of services) {
    const [job] = await sent(server, 1, [commented(readFileSync(photo), 'status')]);
    answer ??= await completed(server, [job], POLL.batch);
    asked.push({ server, request: getOf(server, `/api/v1/images/jobs/${job}`) });
  }
  const bare = await bareRoute(answer);
  asked.unshift({ server: bare, request: asked[0].request });
  const found = await inTurn(asked, rounds, async ({ server, request }) => {
    const end = performance.now() + ASKING;
    return load(server, CONNECTIONS, 200, () => (performance.now() < end ? request : null));
  });
  await bare.stop();
  return [`The state of a job, at ${CONNECTIONS} connections:`, '', ...rates(asked, found)];
}

/** Pictures that cost little to render, made large by comments: what is measured is the way into the service. */
async function uploads({ services, rounds, count = 200 }) {
  const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#3a5f8c' } })
    .jpeg()
    .toBuffer();
  const lines = [];
  let serial = 0;
  const next = (bytes) => padded(commented(picture, `${serial++}`), bytes);
  const ways = [
    { what: '2 MB, alone', bytes: 2e6, connections: 1, files: Math.ceil(count / 5) },
    { what: '2 MB', bytes: 2e6, connections: CONNECTIONS, files: count },
    { what: '50 kB', bytes: 5e4, connections: CONNECTIONS, files: 2 * count },
  ];
  for (const { what, bytes, connections, files } of ways) {
    const asked = services.map((server) => ({ server }));
    const found = await inTurn(asked, rounds, async ({ server }) => {
      const requests = Array.from({ length: files }, () => uploadOf(server, next(bytes)));
      const one = await load(server, connections, 202, () => requests.pop() ?? null);
      await completed(server, jobsIn(one.answers), POLL.batch);
      return one;
    });
    lines.push('', `Uploads of ${what}, at ${connections} connection${connections > 1 ? 's' : ''}:`, '');
    lines.push(...rates(asked, found));
  }
  return lines.slice(1);
}

/** From the first byte of the first photograph to the last one that is completed, against the same files by `process`. */
async function photographs({ services, place, folder, rounds, times }) {
  const lines = [];
  for (const preset of PRESETS) {
    const files = times * corpusOf(folder).files.length;
    const ways = [
      { name: '`imgtool process`', once: (round) => batch(place, folder, times, preset, round) },
      ...services.map((server) => ({
        name: server.name,
        once: (round) => all(server, folder, times, preset, round),
      })),
    ];
    const found = await inTurn(ways, rounds, ({ once }, round) => once(round));
    lines.push(
      '',
      `${files} photographs to \`${preset}\`, from the first request to the end of the last image:`,
      '',
    );
    lines.push(
      ...table(
        ['way', 's', 'range', 'images/s', 'rate to process', 'rate to imgtool'],
        ways.map(({ name }, i) => [
          name,
          (median(found[i]) / 1000).toFixed(2),
          range(found[i], 2, 1000),
          ((files * 1000) / median(found[i])).toFixed(2),
          `${ratio(found[0], found[i]).toFixed(2)}×`,
          `${ratio(found[1], found[i]).toFixed(2)}×`,
        ]),
      ),
    );
  }
  return lines.slice(1);
}

/** Milliseconds of a whole `process`. */
async function batch(place, folder, times, preset, round) {
  const photos = join(place, `photos-${preset}-${round}`);
  mkdirSync(photos);
  for (const [i, bytes] of manifoldBytes(folder, times, `process-${preset}-${round}`).entries())
    writeFileSync(join(photos, `${i}.jpg`), bytes);
  await run('sync', []);
  return processed(photos, join(place, `out-${preset}-${round}`), ['--preset', preset]);
}

async function all(server, folder, times, preset, round) {
  const files = manifoldBytes(folder, times, `${preset}-${round}`);
  await run('sync', []);
  const started = performance.now();
  const jobs = await sent(server, CONNECTIONS, files, preset);
  await completed(server, jobs, POLL.batch);
  return performance.now() - started;
}

/** One photograph at an idle server, against its own time in a `process` that has done another image before. */
async function single({ services, place, folder, rounds }) {
  const { files } = corpusOf(folder);
  const [typical] = files.toSorted((a, b) => Math.abs(a.bytes - TYPICAL) - Math.abs(b.bytes - TYPICAL));
  const photo = readFileSync(typical.path);
  const lines = [];
  for (const preset of PRESETS) {
    const ways = [
      { name: '`imgtool process`, warm', once: (bytes, round) => warm(place, bytes, preset, round) },
      ...services.map((server) => ({
        name: server.name,
        async once(bytes) {
          const started = performance.now();
          await completed(server, await sent(server, 1, [bytes], preset), POLL.single);
          return performance.now() - started;
        },
      })),
    ];
    const found = await inTurn(ways, 4 * rounds, ({ once }, round) =>
      once(commented(photo, `single-${preset}-${round}`), round),
    );
    lines.push(
      '',
      `One JPEG of ${(photo.length / 1e6).toFixed(1)} MB to \`${preset}\`, idle server, from the request to its end, ${4 * rounds} rounds:`,
      '',
      ...table(
        ['way', 'ms', 'range', 'to process', 'to imgtool', 'more than process, ms'],
        ways.map(({ name }, i) => [
          name,
          median(found[i]).toFixed(0),
          range(found[i]),
          `${ratio(found[i], found[0]).toFixed(2)}×`,
          `${ratio(found[i], found[1]).toFixed(2)}×`,
          median(found[i].map((ms, k) => ms - found[0][k])).toFixed(0),
        ]),
      ),
    );
  }
  return lines.slice(1);
}

function warm(place, bytes, preset, round) {
  const folder = join(place, `warm-${preset}-${round}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.jpg'), commented(bytes, 'before'));
  writeFileSync(join(folder, 'b.jpg'), bytes);
  const args = processing(folder, `${folder}-out`, ['--preset', preset, '--json', '--jobs', '1']);
  const jobs = execFileSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim()
    .split('\n')
    .map(JSON.parse);
  return jobs.find(({ source }) => source?.endsWith('b.jpg')).ms.total;
}

/** Uploads files. Resolves with their jobs. */
async function sent(server, connections, files, preset) {
  const requests = files.map((bytes) => uploadOf(server, bytes, preset)).reverse();
  return jobsIn((await load(server, connections, 202, () => requests.pop() ?? null)).answers);
}

/** Results of ways that are gone through in turn, without those of the first round, which fills caches. */
async function inTurn(ways, rounds, once) {
  const found = ways.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, way] of ways.entries()) {
      const one = await once(way, round);
      tell(
        `  round ${round} of ${rounds}: ${way.name ?? way.server.name} ${((one.total ?? one) / 1000).toFixed(2)} s`,
      );
      if (round > 0) found[i].push(one);
    }
  }
  return found;
}

function rates(asked, found) {
  const perSecond = found.map((all) => all.map(({ ms, total }) => (ms.length * 1000) / total));
  const middle = found.map((all) => all.map(({ ms }) => median(ms)));
  return table(
    ['way', 'requests/s', 'range', 'ratio', 'p50, ms', 'client’s share'],
    asked.map(({ server }, i) => [
      server.name,
      median(perSecond[i]).toFixed(0),
      range(perSecond[i]),
      `${ratio(perSecond[i], perSecond[0]).toFixed(2)}×`,
      median(middle[i]).toFixed(2),
      `${(100 * median(found[i].map(({ share }) => share))).toFixed(0)} %`,
    ]),
  );
}

/** The same photographs several times over, each with bytes of its own, largest first. */
function manifoldBytes(folder, times, text) {
  return corpusOf(folder).files.flatMap(({ path }) => {
    const bytes = readFileSync(path);
    return Array.from({ length: times }, (_, n) => commented(bytes, `${text}-${n}`));
  });
}

/** The same picture as a file of so many bytes. */
function padded(jpeg, bytes) {
  const whole = 'x'.repeat(60_000);
  let all = jpeg;
  while (all.length + whole.length + 4 <= bytes) all = commented(all, whole);
  return commented(all, 'x'.repeat(Math.max(0, bytes - all.length - 4)));
}
