import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { canSeeProcesses, memoryOf } from '../cli/group.ts';
import { FATES, fatesOf, putHostile, SVG_FATES } from '../cli/hostile.ts';
import { jobsOf, type Outcome, openPlace, type Place } from '../cli/imgtool.ts';
import { assertInvariants, sourcesOf } from '../cli/invariants.ts';
import { picture, putOld } from '../cli/pictures.ts';
import { shared } from '../image/pictures.ts';
import { canTrace, opensToWrite, pathOf, traced } from './tracing.ts';

const hostile = shared('corpus/hostile');
const project = fileURLToPath(new URL('../..', import.meta.url));
const libraries = realpathSync(`${project}node_modules`);
const BATCH = ['process', '--json', '--all-files', '--out', 'out', 'photos'];

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe.skipIf(hostile === null)('the hostile folder with one good photograph', () => {
  // Four children use 300 MB before their first picture, and two pictures of 256 Mpx use 130 MB more.
  it.skipIf(!canSeeProcesses).each([
    ['1', 500],
    ['2', 500],
    ['4', 600],
  ])('with --jobs %s takes less than half a minute and %i MB', async (jobs, most) => {
    putHostile(place, hostile!);
    const sources = sourcesOf(place, 'photos');
    const started = performance.now();
    const session = place.start([...BATCH, '--jobs', jobs]);
    const { sampled, bound } = await memoryOf(session.pid, session.ended);
    const outcome = await session.ended;
    const took = performance.now() - started;
    console.log(`--jobs ${jobs}: ${Math.round(took)} ms, ${mega(sampled)} at once, ${mega(bound)} summed`);
    expect(fatesOf(outcome)).toEqual(FATES);
    expect(took).toBeLessThan(30_000);
    expect(sampled).toBeLessThan(most * 1e6);
    await assertInvariants(place, { sources, outcome });
  });

  it.skipIf(!canTrace).each([
    ['as it is', []],
    ['with SVG allowed', ['--allow-svg', '--timeout', '20']],
  ])('causes no read outside of it, and each file is read only by its own job, %s', async (_, more) => {
    putHostile(place, hostile!);
    await putSvgs(place);
    const sources = sourcesOf(place, 'photos');
    const { outcome, calls } = await traced(
      place,
      [...BATCH, ...more],
      'open,openat,openat2,creat,connect,sendto',
    );
    assertFates(outcome, more.length > 0);
    const opens = calls.filter(({ name, ok }) => ok && /^open|creat/.test(name));
    expect(opens.length).toBeGreaterThan(100);
    const paths = opens.map(pathOf);
    for (const source of sources.keys())
      expect(
        paths.filter((path) => path === source),
        `${source} is read once, by its own job`,
      ).toHaveLength(1);
    const outside = [...new Set(paths)].filter((path) => !isOwn(path));
    const places = new Set(outside.map((path) => path.split('/').slice(0, 4).join('/')));
    console.log(`opened besides the folder and the program: ${[...places].join(' ')}`);
    expect(outside.filter((path) => !OF_THE_SYSTEM.test(path))).toEqual([]);
    expect(paths.filter((path) => /^\/etc\/(passwd|shadow)$|\/secret\.png$/.test(path))).toEqual([]);
    const written = opens
      .filter(opensToWrite)
      .map(pathOf)
      .filter((path) => !WRITTEN.test(path.replace(dirname(place.cwd), '')));
    expect(written, 'nothing is written but outputs and the index').toEqual([]);
    expect(
      calls.filter(({ name, args }) => /^(connect|sendto)/.test(name) && /AF_INET|sin_port/.test(args)),
    ).toEqual([]);
    await assertInvariants(place, { sources, outcome });
  });
});

/** Files of the programs themselves: libraries, /proc and /sys, fonts, time zone. */
const OF_THE_SYSTEM =
  /^\/(usr|lib|lib64|opt|proc|sys|dev)\/|^\/etc\/(ld\.so\.|ssl\/|fonts\/|localtime|nsswitch\.conf|host\.conf|resolv\.conf)|^\/var\/cache\/fontconfig\//;
const WRITTEN = /^\/work\/out\/|^\/state\/imgtool\/|^\/dev\/null$/;

function isOwn(path: string): boolean {
  const own = [dirname(place.cwd), project, libraries];
  return (
    !path.startsWith('/') || own.some((folder) => `${path}/`.startsWith(`${folder}/`.replace('//', '/')))
  );
}

function assertFates(outcome: Outcome, svgAllowed: boolean): void {
  const fates = fatesOf(outcome);
  for (const [name, fate] of Object.entries(FATES))
    expect(svgAllowed ? (SVG_FATES[name] ?? [fate]) : [fate], name).toContain(fates[name]);
  expect(jobsOf(outcome).filter(({ error }) => error?.code === 'internal')).toEqual([]);
}

/** More ways to refer to another file than the hostile folder has. */
async function putSvgs(at: Place): Promise<void> {
  putOld(at.at('secret.png'), await picture({ format: 'png' }));
  const secret = at.at('secret.png');
  const bodies = [
    `<image href="../secret.png" width="9" height="9"/>`,
    `<image href="${secret}" width="9" height="9"/>`,
    `<image href="file://${secret}" width="9" height="9"/>`,
    `<image xlink:href="file://localhost${secret}" width="9" height="9"/>`,
    `<style>@import url("file://${secret}");</style>`,
    `<style>rect { fill: url("file://${secret}") }</style><rect width="9" height="9"/>`,
    `<use href="svg-external-image-relative.svg#a"/>`,
    `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="../secret.png" parse="text"/>`,
    `<filter id="f"><feImage href="secret-red.png"/></filter><rect width="9" height="9" filter="url(#f)"/>`,
    `<text y="9">words</text>`,
  ];
  for (const [i, body] of bodies.entries()) {
    const open =
      '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="20" height="20">';
    at.put(`photos/names-a-file-${i}.svg`, `${open}${body}</svg>`);
  }
}

const mega = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
