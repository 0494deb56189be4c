// Calls processImages again and again in one process. Prints what the process uses after some calls, as JSON lines.
import { readdirSync } from 'node:fs';
import { processImages } from '../../dist/index.js';

const [calls = '1000', every = '100'] = process.argv.slice(2);
/** Each tenth call renders the picture again. The others find it unchanged. */
const RENDERED = 10;

for (let call = 1; call <= Number(calls); call++) {
  const options = { index: 'index.db', out: 'out', variants: ['a:w=40'], force: call % RENDERED === 0 };
  let last;
  for await (const event of processImages('photos', options)) last = event;
  if (last?.counts?.failed !== 0) throw new Error(`call ${call}: ${JSON.stringify(last)}`);
  if (call % Number(every) === 0) console.log(JSON.stringify({ call, ...(await used()) }));
}

/** Bytes that are used after a collection, and the number of open files. */
async function used() {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    globalThis.gc();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external, files: readdirSync('/proc/self/fd').length };
}
