import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { systemCode } from '../errors.ts';
import type { ConnectionLimits } from './options.ts';
import { PROBLEM_TYPE, problemBody, Refusal } from './problem.ts';

/** The answers to what is no valid request, by the code of Node. */
const BROKEN: Readonly<Record<string, () => Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: () => new Refusal('request_timeout', 'the request took too long to arrive'),
  HPE_HEADER_OVERFLOW: () => new Refusal('bad_request', 'the headers are too large', { status: 431 }),
};

/** Limits the connections of a server, and ends those that nobody can use any more. */
export function limitConnections(app: FastifyInstance, limits: ConnectionLimits): void {
  const { server } = app;
  server.maxConnections = limits.connections;
  server.removeAllListeners('clientError');
  server.on('clientError', answerBroken);
  // Without this, Node asks for the body of every request, also of one that is refused.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
  app.addHook('onSend', async ({ raw }, reply) => {
    // The client waits for leave to send the body, and must not send the next request as one.
    if (raw.headers.expect !== undefined && !raw.complete) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (!raw.complete) linger(raw, limits.lingering);
  });
}

/** Reads on for a moment, so that a client that is still sending reads the answer. */
function linger(request: IncomingMessage, ms: number): void {
  request.unpipe();
  request.removeAllListeners('data');
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), ms);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
}

function answerBroken(error: Error, socket: Socket): void {
  const code = systemCode(error) ?? '';
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = BROKEN[code]?.() ?? new Refusal('bad_request', 'this is no valid request of HTTP/1.1');
  const body = problemBody(refusal, (hint) => hint);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
