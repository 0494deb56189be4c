import { list } from '../commands/list.ts';
import { status } from '../commands/status.ts';
import { openHistory } from '../open/history.ts';
import { type Options, openFor } from './given.ts';

/** The commands that look at what happened: they load no more than they need, in one go. */

export async function runStatus(id: string, options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const index = await openHistory(config);
  try {
    const all = options.all === true;
    const watch = options.watch === true;
    await status(index, id, { all, watch }, (batch, jobs) => pages.status(batch, jobs, all));
  } finally {
    await index.close();
  }
}

export async function runList(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const index = await openHistory(config);
  try {
    await list(index, String(options.limit), pages.list);
  } finally {
    await index.close();
  }
}
