import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import type { Renderer } from '../../src/ports.ts';
import { openWorkshop, rendererWith, type Workshop } from '../core/made-up.ts';
import type { Outcome } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { hashOf } from './pictures.ts';

/** Breaks each invariant on purpose, to prove that the assertions after each fault test can fail. */

let shop: Workshop;
let sources: Sources;
let outcome: Outcome;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  shop.put('a.jpg', 'b.jpg');
  sources = sourcesOf(shop, 'photos');
  const events = await shop.run({}, { renderer: painting(await picture()) });
  const stdout = events.map((event) => JSON.stringify(event)).join('\n');
  outcome = { stdout, stderr: '', code: 0, signal: null };
});
afterEach(() => shop.index.close());

const picture = () =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
    .webp()
    .toBuffer();

/** Renders every source as the same picture. */
function painting(bytes: Buffer): Renderer {
  const renderer = rendererWith(() => {});
  return {
    ...renderer,
    async open(...given) {
      const opened = await renderer.open(...given);
      return {
        ...opened,
        async render(orders) {
          const rendered = await opened.render(orders);
          for (const { path } of orders) writeFileSync(path, bytes);
          const outputs = rendered.outputs.map((one, i) => {
            return { ...one, bytes: bytes.length, checksum: hashOf(orders[i]?.path ?? '') };
          });
          return { ...rendered, outputs };
        },
      };
    },
  };
}

const check = (over: Partial<Outcome> = {}) =>
  assertInvariants(
    { at: shop.at, index: shop.at('state/index.db') },
    { sources, outcome: { ...outcome, ...over } },
  );

const OUTPUT = 'out/a_small.webp';

/** Changes the index directly, without the checks of the program. */
function change(...statements: string[]): void {
  const db = keep(new Sqlite(shop.at('state/index.db')));
  db.unsafeMode(true);
  for (const pragma of ['foreign_keys = OFF', 'ignore_check_constraints = ON']) db.exec(`PRAGMA ${pragma}`);
  for (const statement of statements) db.exec(statement);
  db.close();
}

const inOutput = `path LIKE '%/${OUTPUT}'`;

const BREAKS: [string, RegExp, () => void][] = [
  ['a source is altered', /I1/, () => appendFileSync(shop.at('photos/a.jpg'), 'x')],
  ['an output is altered', /I2.*as recorded/, () => appendFileSync(shop.at(OUTPUT), 'x')],
  [
    'an output is no picture, and recorded so',
    /I2.*decodes/,
    () => {
      writeFileSync(shop.at(OUTPUT), readFileSync(shop.at(OUTPUT)).subarray(0, 40));
      change(`UPDATE outputs SET checksum = '${hashOf(shop.at(OUTPUT))}', size = 40 WHERE ${inOutput}`);
    },
  ],
  [
    'an output is not as wide as recorded',
    /I2/,
    () => change(`UPDATE outputs SET width = 9 WHERE ${inOutput}`),
  ],
  ['something staged is left', /I3/, () => writeFileSync(shop.at('out/.imgtool-ab-0.tmp'), 'half')],
  ['an output of a completed job is gone', /I4.*is there/, () => rmSync(shop.at(OUTPUT))],
  ['an output has no row', /I4.*has its row/, () => change(`DELETE FROM outputs WHERE ${inOutput}`)],
  [
    'an output is another source’s',
    /I4.*of its source/,
    () => change(`UPDATE outputs SET source = replace(source, 'a.jpg', 'b.jpg') WHERE ${inOutput}`),
  ],
  [
    'an output’s row has another’s key',
    /I4.*key/,
    () => change(`UPDATE outputs SET key = 'x' WHERE ${inOutput}`),
  ],
  [
    'an output is a source too',
    /I4.*no source/,
    () => change("UPDATE outputs SET source = (SELECT path FROM outputs WHERE path LIKE '%/b_small.webp')"),
  ],
  [
    'a variant of a completed job was not made',
    /I4.*every variant/,
    () => change("UPDATE jobs SET outputs = '[]' WHERE given = 'photos/a.jpg'"),
  ],
  [
    'a job is processing',
    /I5/,
    () => change("UPDATE jobs SET state = 'processing', run = 'dead', finished_at = NULL WHERE id = 1"),
  ],
  ['a run is left', /I5/, () => change("INSERT INTO runs (id, batch) SELECT 'dead', id FROM batches")],
  [
    'a batch is still running',
    /I5/,
    () => change("UPDATE batches SET state = 'running', finished_at = NULL"),
  ],
  ['a count is wrong', /I6/, () => change('UPDATE counts SET completed = 1')],
  [
    'an index of the database misses a row',
    /I7/,
    () =>
      change(
        'PRAGMA writable_schema = ON',
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX outputs_by_source ON outputs (path)' WHERE name = 'outputs_by_source'",
      ),
  ],
  ['a row refers to a missing row', /I7/, () => change("INSERT INTO claims VALUES ('d', 'dead', 1)")],
];

describe('the invariants', () => {
  it('hold if nothing is broken', () => check());

  it.each(BREAKS)('do not hold if %s', async (_, invariant, breakIt) => {
    breakIt();
    await expect(check()).rejects.toThrow(invariant);
  });

  it.each([
    ['exits 1 although nothing failed', { code: 1 }],
    ['exits 3 although it finished', { code: 3 }],
  ] as const)('do not hold if a run %s', async (_, ended) => {
    await expect(check(ended)).rejects.toThrow(/I8/);
  });

  it('do not hold if a signal ends a run and its batch is finished in spite of cancelled jobs', async () => {
    change("UPDATE jobs SET state = 'cancelled' WHERE id = 1");
    await expect(check({ stdout: '', code: null, signal: 'SIGINT' })).rejects.toThrow(/I8/);
  });

  it.each([
    ['of a job', '"state":"completed"', '"state":"failed"'],
    ['of the batch', '"completed":2', '"completed":3'],
  ])('do not hold if something else was reported %s', async (_, original, reported) => {
    await expect(check({ stdout: outcome.stdout.replace(original, reported) })).rejects.toThrow(/I8/);
  });
});
