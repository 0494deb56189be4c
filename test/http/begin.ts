import { openRaw, part, uploadHead } from './raw.ts';
import { type Service, tokenOf } from './service.ts';

export const BUCKET = part('bucket', 'photos');

/** Opens a connection and sends the head of an upload. */
export async function begin(service: Service, more: readonly string[], path?: string) {
  const connection = await openRaw(service.url);
  const head = uploadHead(await tokenOf('ann'), more, path);
  connection.socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return connection;
}
