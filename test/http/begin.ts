import { openRaw, part, uploadHead } from './raw.ts';
import { type Service, tokenOf } from './service.ts';

export const BUCKET = part('bucket', 'photos');

/** Opens a connection and sends the head of an upload. */
export async function begin(
  { url }: Pick<Service, 'url'>,
  more: readonly string[],
  { path, token }: { readonly path?: string; readonly token?: string } = {},
) {
  const connection = await openRaw(url);
  const head = uploadHead(token ?? (await tokenOf('ann')), more, path);
  connection.socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return connection;
}
