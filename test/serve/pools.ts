import { join } from 'node:path';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import type { Order } from '../../src/model.ts';
import type { Renderer } from '../../src/ports.ts';
import { childrenOf, endless, workerPath } from '../adapters/children.ts';
import { makePlace } from '../place.ts';
import { openServing, type Serving } from './serving.ts';

/** Real child processes, and what they were asked to render. `fail` may throw before an image is opened. */
export function watchedPool(fail: (path: string) => void = () => {}) {
  const pool = createWorkerPool({ size: 2, workerPath });
  const rendered: Order[][] = [];
  const renderer: Renderer = {
    ...pool,
    async open(...asked) {
      fail(asked[0].path);
      const opened = await pool.open(...asked);
      return {
        ...opened,
        render(orders, progress) {
          rendered.push([...orders]);
          return opened.render(orders, progress);
        },
      };
    },
  };
  return { renderer, rendered };
}

/** A service whose children never finish an output, or never finish to read an upload. */
export async function openEndless(
  held: '.staged' | 'staging' = '.staged',
): Promise<ReturnType<typeof endless> & { readonly serving: Serving; pids(): number[] }> {
  const place = makePlace();
  const root = join(place, 'storage');
  const children = endless(place, join(root, held));
  const renderer = createWorkerPool({ size: 2, workerPath: children.workerPath });
  const serving = await openServing({ renderer }, root);
  return { ...children, serving, pids: () => childrenOf(process.pid, children.workerPath) };
}
