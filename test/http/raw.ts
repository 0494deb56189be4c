import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection to a service, byte by byte. */
export interface RawConnection {
  readonly socket: Socket;
  /** All that has arrived. */
  readonly text: () => string;
  /** Resolves once the received text matches. Rejects when the connection ends before. */
  readonly received: (what: RegExp) => Promise<RegExpExecArray>;
  /** Resolves once the service has closed the connection. */
  readonly closed: Promise<unknown>;
}

export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  let isClosed = false;
  // A service may close a connection while its client is sending.
  socket.on('error', () => {});
  const closed = new Promise((resolve) => {
    socket.on('close', () => {
      isClosed = true;
      resolve(undefined);
    });
  });
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  await once(socket, 'connect');
  const received = (what: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = what.exec(text);
        if (found !== null) resolve(found);
        else if (isClosed) reject(new Error(`closed after: ${text}`));
      };
      socket.on('data', look);
      socket.on('close', look);
      look();
    });
  return { socket, text: () => text, received, closed };
}

/** Sends a whole request, and returns the head and the body of the answer. The connection is closed. */
export async function exchange(url: string, lines: readonly string[], body: string | Buffer = '') {
  const connection = await openRaw(url);
  connection.socket.write(`${lines.join('\r\n')}\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n\r\n`);
  connection.socket.write(body);
  await connection.closed;
  const [head = '', ...rest] = connection.text().split('\r\n\r\n');
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(head) ?? [];
  return { status: Number(status), head: head.toLowerCase(), body: rest.join('\r\n\r\n') };
}

const BOUNDARY = 'boundary-of-the-tests';

const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;

/** A part of a multipart body. */
export function part(name: string, value: string | Buffer, filename?: string): Buffer {
  const file = filename === undefined ? '' : `; filename="${filename}"`;
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')]);
}

export const LAST_PART = Buffer.from(`--${BOUNDARY}--\r\n`);

/** The head of an upload. */
export function uploadHead(token: string, more: readonly string[], path = '/api/v1/images/upload'): string[] {
  return [
    `POST ${path} HTTP/1.1`,
    `Authorization: Bearer ${token}`,
    `Content-Type: ${MULTIPART}`,
    'Host: 127.0.0.1',
    ...more,
  ];
}
