import type { Config } from '../config.ts';
import type { Style } from '../model.ts';
import { openPages as open, type Pages } from '../report/pages.ts';

/** Where a command writes. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Where what was looked up is printed. */
export async function openPages(config: Config, { stdout }: Streams): Promise<Pages> {
  return open({ stream: stdout, style: await styleOf(stdout, config), json: config.json });
}

/** How text may look on a stream. Colours are loaded where there may be some. */
export async function styleOf(
  stream: NodeJS.WriteStream,
  { color, look }: Pick<Config, 'color' | 'look'>,
): Promise<Style> {
  const tty = stream.isTTY === true;
  const isColoured = color === 'always' || (color === 'auto' && tty && !look.noColor && !look.dumb);
  if (isColoured) await (await import('../report/theme.ts')).loadColours();
  return {
    tty,
    color: isColoured,
    unicode: look.unicode && !look.dumb,
    columns: () => stream.columns || 80,
  };
}
