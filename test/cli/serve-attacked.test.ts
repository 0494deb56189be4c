import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METADATA_BOMBS, pixelBomb } from '../http/bombs.ts';
import { PHOTO } from '../http/service.ts';
import { openPlace } from './imgtool.ts';
import { endOf, resultOf, SECRET, serve } from './service.ts';
import { filesOf } from './serving.ts';

/** The most memory that each process of a group has ever had, in megabytes. */
function peaksOf(group: number): number[] {
  const tasks = readFileSync(`/proc/${group}/task/${group}/children`, 'utf8').trim().split(' ');
  return [`${group}`, ...tasks].map((pid) => {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  });
}

describe.runIf(process.platform === 'linux')('a bomb', () => {
  it('of pixels fails as too large, and one in metadata is never unpacked: memory stays low', async () => {
    const { session, upload, ask } = await serve(openPlace());
    const pixels = await upload(pixelBomb(), 'bomb.png');
    expect(pixels.status).toBe(202);
    const job = await endOf(ask, pixels.body.status_url);
    expect(job).toMatchObject({ status: 'failed', error_code: 'too_large' });
    expect(job.fix).toMatch(/^for the operator of the service: raise it with --limit-pixels 2500M/);
    for (const [name, bomb] of Object.entries(METADATA_BOMBS)) {
      const { status, body } = await upload(bomb, 'bomb.png');
      expect([name, status]).toEqual([name, 202]);
      const result = await resultOf(ask, body.status_url);
      expect(result.metadata.original_dimensions).toEqual({ width: 64, height: 64 });
    }
    for (const megabytes of peaksOf(session.pid)) expect(megabytes).toBeLessThan(400);
    session.signal('SIGTERM');
    await session.ended;
  });
});

describe('a file that is two things at once', () => {
  const HTML = '<html><script>alert(1)</script></html>';
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, HTML.length + 2]), Buffer.from(HTML)]);
  const polyglots = {
    'with HTML in a comment': Buffer.concat([PHOTO.subarray(0, 2), comment, PHOTO.subarray(2)]),
    'with HTML behind it': Buffer.concat([PHOTO, Buffer.from(HTML)]),
  };

  it.each(Object.entries(polyglots))(
    'is a picture %s, and only what is rendered is served',
    async (_, file) => {
      const place = openPlace();
      const { session, upload, ask, url } = await serve(place);
      const { status, body } = await upload(file, 'page.html');
      expect(status).toBe(202);
      const { urls } = await resultOf(ask, body.status_url);
      for (const address of Object.values<string>(urls)) {
        const answer = await fetch(`${url}${address}`);
        expect(answer.headers.get('content-type')).toBe('image/webp');
        expect(Buffer.from(await answer.arrayBuffer()).includes('script')).toBe(false);
      }
      expect((await fetch(`${url}/storage/staging/${body.image_id}`)).status).toBe(404);
      session.signal('SIGTERM');
      await session.ended;
    },
  );

  it('such as SVG is refused unless two settings allow it, and is never served', async () => {
    const SVG = Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><script>alert(1)</script></svg>`,
    );
    for (const half of [['--accept', 'jpeg'], ['--allow-svg']]) {
      const one = await serve(openPlace(), ...half);
      const { body } = await one.upload(SVG);
      expect(body).toMatchObject({ status: 415, code: 'unsupported_format' });
      expect(body.fix).toMatch(/accept SVG too with --accept and --allow-svg$/);
      one.session.signal('SIGTERM');
      await one.session.ended;
    }
    const place = openPlace();
    const { session, upload, ask } = await serve(place, '--accept', 'jpeg,svg', '--allow-svg');
    const { body } = await upload(SVG);
    await resultOf(ask, body.status_url);
    const stored = filesOf(place).outputs;
    expect(stored.length).toBeGreaterThan(0);
    for (const path of stored) expect(path).toMatch(/^photos\/processed\/.*\.webp$/);
    session.signal('SIGTERM');
    await session.ended;
  });
});

describe('the figures of the service', () => {
  it('agree: counters, gauges, statistics and the records that imgtool list reads', async () => {
    const place = openPlace();
    const { session, upload, ask, admin, token } = await serve(place);
    const [one, copy, damaged] = [
      await upload(),
      await upload(),
      await upload(Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex')),
    ];
    await upload(Buffer.from('text'));
    const states = [];
    for (const { body } of [one, copy, damaged]) states.push((await endOf(ask, body.status_url)).state);
    expect(states).toEqual(['completed', 'duplicate', 'failed']);

    const text = await (await fetch(`${admin}/metrics`)).text();
    const metric = (name: string) => Number(new RegExp(`^imgtool_${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    const stats = JSON.parse(await (await fetch(`${admin}/api/v1/health/stats`)).text());
    const listed = JSON.parse((await place.run(['list', '--json'])).stdout);
    const sum = (state: string) =>
      listed.batches.reduce(
        (all: number, { counts }: { counts: Record<string, number> }) => all + (counts[state] ?? 0),
        0,
      );
    for (const state of ['completed', 'duplicate', 'failed']) {
      const counted = metric(`images_ended_total\\{state="${state}"\\}`);
      expect([state, counted, metric(`images\\{state="${state}"\\}`), sum(state)]).toEqual([state, 1, 1, 1]);
    }
    expect(stats.status_breakdown).toEqual({ completed: 2, pending: 0, processing: 0, failed: 1 });
    expect(metric('images_accepted_total')).toBe(3);
    expect(metric('uploads_refused_total\\{code="not_an_image"\\}')).toBe(1);
    session.signal('SIGTERM');
    const { stdout, stderr } = await session.ended;
    expect(stderr).toMatch(/^\S+ refused code=not_an_image status=415 method=POST .* owner=ann client=127/m);
    expect(stdout + stderr).not.toContain(SECRET);
    expect(stdout + stderr).not.toContain(token);
  });
});
