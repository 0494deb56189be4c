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

/** Limits the connections of a server, and ends those that nobody can use any more. `report` is given what is no request. */
export function limitConnections(
  app: FastifyInstance,
  limits: ConnectionLimits,
  report: (refusal: Refusal, socket: Socket) => void,
): void {
  const { server } = app;
  server.maxConnections = limits.connections;
  server.removeAllListeners('clientError');
  server.on('clientError', (error: Error, socket: Socket) => {
    const refusal = answerBroken(error, socket);
    if (refusal !== undefined) report(refusal, socket);
  });
  // Without this, Node asks for the body of every request, also of one that is refused.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
  app.addHook('onSend', ({ raw }, reply, _, done) => {
    // The client waits for leave to send the body, and must not send the next request as one.
    if (raw.headers.expect !== undefined && !raw.complete) reply.header('connection', 'close');
    done();
  });
  app.addHook('onResponse', ({ raw }, _, done) => {
    if (!raw.complete) linger(raw, limits.lingering);
    done();
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

/** Returns undefined where nobody reads an answer. */
function answerBroken(error: Error, socket: Socket): Refusal | undefined {
  const code = systemCode(error) ?? '';
  // As in the handler of Node: an answer that has begun is not continued by another one.
  const { _httpMessage: response } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
  if (code === 'ECONNRESET' || !socket.writable || response?.headersSent) {
    socket.destroy();
    return undefined;
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
  return refusal;
}
