import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('./bench/', import.meta.url));

it('the benchmark’s build contains all modules that the benchmark imports', async () => {
  const { source } = await import(pathToFileURL(`${BENCH}source.js`).href);
  const texts = readdirSync(`${BENCH}sections`).map((name) =>
    readFileSync(`${BENCH}sections/${name}`, 'utf8'),
  );
  const taken = texts.flatMap((text) => [...text.matchAll(/const \{ (\w+) \} = await source\('([^']+)'\)/g)]);
  expect(taken.length).toBeGreaterThan(0);
  for (const [, what, from] of taken) expect(await source(from), from).toHaveProperty(what ?? '');
});
