import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hintAsFlags } from '../../src/config.ts';
import { createServeReport } from '../../src/report/serve.ts';

type Reported = Parameters<ReturnType<typeof createServeReport>>[0];

const IMAGE = { id: 'i', job: 'j', batch: 'b' };
const TOO_LARGE = { code: 'too_large', message: 'is too large', fix: 'raise it with {{limitPixels 12M}}' };

const EVENTS: readonly Reported[] = [
  { type: 'listening', url: 'http://x', admin: null, storage: '/s', tokens: 'secrets', waiting: 3 },
  {
    ...{
      type: 'request.refused',
      code: 'unauthorized',
      status: 401,
      method: 'GET',
      route: '/batch/:batch_id',
    },
    ...{ reason: 'expired', isUpload: false, owner: null, client: '10.0.0.1' },
  },
  {
    ...{ type: 'request.refused', code: 'bad_request', status: 400, method: null, route: null },
    ...{ reason: null, isUpload: false, owner: null, client: null },
  },
  {
    ...{ type: 'image.ended', ...IMAGE, owner: 'ann', bucket: 'photos', state: 'failed', attempt: 1 },
    ...{ bytes: 5, outputs: 0, outputBytes: 0, ms: null, error: TOO_LARGE },
  },
  { type: 'stopping', busy: 2 },
  { type: 'stopped', waiting: 1 },
];

function logged(events: readonly Reported[], over: { json?: boolean; quiet?: boolean } = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const report = createServeReport({
    ...{ stdout, stderr, json: false, quiet: false, verbose: false, timestamps: false, ...over },
    wordHint: hintAsFlags,
  });
  for (const event of events) report(event);
  return { out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('the log of the service', () => {
  it('has a line for its start, each refused request, each failed image, and its end', () => {
    expect(logged(EVENTS).err.split('\n')).toEqual([
      'listening url=http://x admin=none storage=/s tokens=secrets waiting=3',
      'refused code=unauthorized reason=expired status=401 method=GET route=/batch/:batch_id client=10.0.0.1',
      'refused code=bad_request status=400',
      'failed image=i owner=ann bucket=photos outputs=0 error=too_large message="is too large" fix="for the operator of the service: raise it with --limit-pixels 12M"',
      'stopping busy=2',
      'stopped waiting=1',
      '',
    ]);
  });

  it('is JSON lines with --json, each with its time', () => {
    const lines = logged(EVENTS, { json: true }).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(EVENTS.map(({ type }) => type));
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ v: 1, at: expect.stringMatching(/Z$/) });
  });

  it('has only failures with --quiet', () => {
    expect(logged(EVENTS, { quiet: true }).err).toMatch(/^failed .*\n$/);
  });

  it.each(['a\r\nlistening url=http://evil', 'a\u2028b', 'a\u0085b', 'a\u202eb', 'a\u001b[2Jb'])(
    'has one line for each event, also where an owner or a message is %j',
    (text) => {
      const events: Reported[] = EVENTS.flatMap((event): Reported[] => {
        if (event.type === 'request.refused') return [{ ...event, owner: text, client: text }];
        if (event.type !== 'image.ended') return [];
        return [{ ...event, owner: text, bucket: text, error: { ...TOO_LARGE, message: text, fix: text } }];
      });
      const { out, err } = logged(events, { json: true });
      for (const log of [out, err]) {
        expect(log.split(/[\r\n\u0085\u2028\u2029]/)).toHaveLength(events.length + 1);
        expect(log).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
      }
    },
  );
});
