import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const END_OF_HEADERS = '\r\n\r\n';
const BOUNDARY = 'imgtool-bench-boundary';

/** The bytes of a GET. */
export function getOf({ token }, path) {
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${headersOf(token)}${END_OF_HEADERS}`);
}

/** The bytes of an upload of one file. */
export function uploadOf({ token }, bytes, preset = 'archive') {
  const fields = Object.entries({ bucket: 'bench', preset }).map(
    ([name, value]) => `${partOf(`name="${name}"`)}${END_OF_HEADERS}${value}\r\n`,
  );
  const file = `${partOf('name="file"; filename="photo.jpg"')}\r\nContent-Type: image/jpeg${END_OF_HEADERS}`;
  const tail = `\r\n--${BOUNDARY}--\r\n`;
  const body = Buffer.concat([Buffer.from(fields.join('') + file), bytes, Buffer.from(tail)]);
  const type = `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: ${body.length}`;
  const head = `POST /api/v1/images/upload HTTP/1.1\r\n${headersOf(token)}\r\n${type}${END_OF_HEADERS}`;
  return Buffer.concat([Buffer.from(head), body]);
}

/**
 * A connection that is kept open. On a bare socket, since a request by `node:http` takes the client longer than it takes
 * a server.
 */
async function open({ port }) {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let got = Buffer.alloc(0);
  let waiting;
  socket.on('data', (chunk) => {
    got = got.length === 0 ? chunk : Buffer.concat([got, chunk]);
    const answer = answerIn(got);
    if (answer === null) return;
    got = Buffer.alloc(0);
    waiting.resolve(answer);
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the server has closed the connection')));
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** Null for an answer that has not arrived to its end. */
function answerIn(bytes) {
  const end = bytes.indexOf(END_OF_HEADERS);
  if (end === -1) return null;
  const head = bytes.latin1Slice(0, end);
  const length = /content-length: *(\d+)/i.exec(head);
  if (length === null) throw new Error(`an answer without a length: ${head}`);
  const start = end + END_OF_HEADERS.length;
  if (bytes.length < start + Number(length[1])) return null;
  return { status: Number(head.slice(9, 12)), body: bytes.subarray(start) };
}

/**
 * Sends requests on so many connections, on each one after the other, until `next` returns null. Resolves with the
 * answers, milliseconds of each request, of all, and the part of a core that this client has used.
 */
export async function load(server, connections, expected, next) {
  const all = await Promise.all(Array.from({ length: connections }, () => open(server)));
  const [ms, answers] = [[], []];
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(
    all.map(async ({ ask }) => {
      for (let request = next(); request !== null; request = next()) {
        const at = performance.now();
        const answer = await ask(request);
        ms.push(performance.now() - at);
        if (answer.status !== expected) throw new Error(`${answer.status}: ${answer.body}`);
        answers.push(answer.body);
      }
    }),
  );
  const total = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  for (const { close } of all) close();
  return { answers, ms, total, share: (user + system) / 1000 / total };
}

/** Waits for jobs, one after the other. Resolves with the last answer. Errors: a job that is not completed. */
export async function completed(server, jobs, pollMs) {
  const { ask, close } = await open(server);
  let last;
  for (const job of jobs) {
    const request = getOf(server, `/api/v1/images/jobs/${job}`);
    for (;;) {
      last = JSON.parse((await ask(request)).body);
      if (last.status === 'completed') break;
      if (last.status === 'failed') throw new Error(`${server.name}: ${last.error}`);
      await sleep(pollMs);
    }
  }
  close();
  return last;
}

export const jobsIn = (answers) => answers.map((body) => JSON.parse(body).job_id);

function headersOf(token) {
  return `Host: 127.0.0.1\r\nAuthorization: Bearer ${token}`;
}

function partOf(disposition) {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}`;
}
