import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { authenticateBy, signToken, type TokenRules } from '../../src/http/auth.ts';
import { RULES, SECRET, startService } from './service.ts';

const base64 = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token of HS256 that may break the rules. */
function hs256(
  claims: object,
  { header = {}, secret = SECRET }: { header?: object; secret?: string | Buffer } = {},
) {
  const signed = `${base64({ alg: 'HS256', typ: 'JWT', ...header })}.${base64(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const NOW = Math.floor(Date.now() / 1000);
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PUBLIC_PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();

function rs256(claims: object, header: object = {}, key: KeyObject = privateKey): string {
  const signed = `${base64({ alg: 'RS256', kid: 'one', ...header })}.${base64(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server of public keys that counts its requests. */
async function keyServer({ status = 200, text = '' } = {}) {
  let asked = 0;
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }];
  const server = createServer((_, response) => {
    asked++;
    response.writeHead(status, { 'content-type': 'application/json' }).end(text || JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked };
}

describe('a token that is not valid', () => {
  const LATER = NOW + 600;
  const attacks: Readonly<Record<string, string>> = {
    'is missing': '',
    'is no token': 'nonsense',
    'has three empty parts': '..',
    'has the algorithm none': `${base64({ alg: 'none' })}.${base64({ sub: 'ann' })}.`,
    'has the algorithm none, in other letters': `${base64({ alg: 'nOnE' })}.${base64({ sub: 'ann' })}.`,
    'is signed with another secret': hs256({ sub: 'ann' }, { secret: 'x'.repeat(40) }),
    'is signed with no secret': hs256({ sub: 'ann' }, { secret: '' }),
    'is signed with a public key as secret': hs256({ sub: 'ann' }, { secret: PUBLIC_PEM }),
    'is signed with HS512': hs256({ sub: 'ann' }, { header: { alg: 'HS512' } }),
    'has a kid that is a path': hs256({ sub: 'ann' }, { header: { kid: '../../dev/null' }, secret: '' }),
    'has a kid that is SQL': hs256({ sub: 'ann' }, { header: { kid: "' UNION SELECT 'x" }, secret: 'x' }),
    'has a kid of 8 kB': hs256({ sub: 'ann' }, { header: { kid: 'x'.repeat(8000) }, secret: 'x' }),
    'names an address of keys': hs256(
      { sub: 'ann' },
      { header: { jku: 'http://127.0.0.1:1/keys' }, secret: 'x' },
    ),
    'brings its own key': rs256({ sub: 'ann' }, { jwk: publicKey.export({ format: 'jwk' }) }),
    'has an unknown critical header': hs256({ sub: 'ann' }, { header: { crit: ['x'], x: 1 } }),
    'has expired': hs256({ sub: 'ann', exp: NOW - 60 }),
    'is not yet valid': hs256({ sub: 'ann', nbf: NOW + 600 }),
    'has a time that is no number': hs256({ sub: 'ann', exp: 'never' }),
    'has no owner': hs256({ exp: LATER }),
    'has an empty owner': hs256({ sub: '' }),
    'has an owner of 10 kB': hs256({ sub: 'x'.repeat(10_000) }),
    'has an owner with a newline': hs256({ sub: 'ann\nbob' }),
    'has an owner that is a number': hs256({ sub: 7 }),
    'was changed': hs256({ sub: 'ann' }).replace(/\.([^.]+)\./, `.${base64({ sub: 'bob' })}.`),
  };

  it('gets one and the same answer, whatever is wrong with it', async () => {
    const { ask } = await startService();
    const answers = new Map<string, string>();
    for (const [name, token] of Object.entries(attacks)) {
      const { status, body, headers } = await ask('/api/v1/images/jobs/x', { token });
      answers.set(name, JSON.stringify([status, body, headers.get('www-authenticate')]));
    }
    expect(new Set(answers.values()).size).toBe(1);
    expect([...answers.values()][0]).toMatch(/^\[401,.*"unauthorized".*"Bearer"\]$/);
  });

  it('is refused for a reason that only the log shows', async () => {
    const keys = await keyServer();
    const tokens = { secrets: [SECRET], jwks: keys.url, issuer: 'us', audience: 'images' };
    const { ask, events } = await startService({ tokens });
    const claims = { sub: 'ann', iss: 'us', aud: 'images', exp: LATER };
    const reasons: readonly (readonly [reason: string, token: string])[] = [
      ['missing', ''],
      ['malformed', 'nonsense'],
      ['expired', hs256({ ...claims, exp: NOW - 60 })],
      ['not_yet_valid', hs256({ ...claims, nbf: NOW + 600 })],
      ['signature', hs256(claims, { secret: 'x'.repeat(40) })],
      ['algorithm', hs256(claims, { header: { alg: 'HS512' } })],
      ['issuer', hs256({ ...claims, iss: 'them' })],
      ['audience', hs256({ ...claims, aud: 'mail' })],
      ['subject', hs256({ ...claims, sub: '' })],
      ['expiry', rs256({ ...claims, exp: undefined })],
      ['unknown_key', rs256(claims, { kid: 'two' })],
    ];
    for (const [, token] of reasons) {
      const { status, body } = await ask('/api/v1/images/jobs/x', { token });
      expect([status, body.reason]).toEqual([401, undefined]);
    }
    const logged = events.flatMap((event) => (event.type === 'request.refused' ? [event.reason] : []));
    expect(logged).toEqual(reasons.map(([reason]) => reason));
  });

  it('makes the service ask no address that it names', async () => {
    const own = await keyServer();
    const named = await keyServer();
    const service = await startService({
      tokens: { secrets: [SECRET], jwks: own.url, issuer: 'us', audience: 'images' },
    });
    const claims = { sub: 'ann', iss: named.url, aud: 'images', exp: LATER };
    for (const header of [
      { jku: named.url },
      { x5u: named.url },
      { kid: named.url },
      { jwk: { kid: named.url } },
    ])
      for (const token of [hs256(claims, { header }), rs256(claims, header)])
        expect((await service.ask('/api/v1/images/jobs/x', { token })).status).toBe(401);
    expect(named.asked()).toBe(0);
    expect(own.asked()).toBe(1);
  });

  it('is refused also where public keys are known: a public key is no secret', async () => {
    const keys = await keyServer();
    const authenticate = authenticateBy({ secrets: [], jwks: keys.url, issuer: 'us', audience: 'images' });
    const claims = { sub: 'ann', iss: 'us', aud: 'images', exp: LATER };
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const bad = [
      ...[hs256(claims, { secret: PUBLIC_PEM }), hs256(claims, { secret: der })],
      ...[rs256(claims, {}, other.privateKey), rs256(claims, { kid: 'two' })],
      ...[
        rs256({ ...claims, iss: 'them' }),
        rs256({ ...claims, aud: 'mail' }),
        rs256({ ...claims, exp: NOW - 60 }),
      ],
      ...[rs256({ ...claims, exp: undefined }), rs256({ ...claims, iss: undefined })],
    ];
    for (const token of bad)
      await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await authenticate(`Bearer ${rs256(claims)}`)).toEqual({ owner: 'ann', isAdmin: false });
  });
});

describe('a valid token', () => {
  it('may have the form of the documents: an owner and nothing else', async () => {
    const { ask } = await startService();
    const { status } = await ask('/api/v1/images/jobs/x', { token: hs256({ sub: 'test-user-123' }) });
    expect(status).toBe(404);
  });

  it('is signed with any of the secrets, while they are exchanged', async () => {
    const authenticate = authenticateBy({ ...RULES, secrets: ['n'.repeat(32), SECRET] });
    expect(await authenticate(`Bearer ${hs256({ sub: 'ann' })}`)).toMatchObject({ owner: 'ann' });
    expect(await authenticate(`bearer ${hs256({ sub: 'bob' }, { secret: 'n'.repeat(32) })}`)).toMatchObject({
      owner: 'bob',
    });
  });

  it('is of the operator only with the scope admin', async () => {
    const authenticate = authenticateBy(RULES);
    const isAdmin = async (scope: unknown) =>
      (await authenticate(`Bearer ${hs256({ sub: 'a', scope })}`)).isAdmin;
    expect([await isAdmin('admin'), await isAdmin('read admin'), await isAdmin('administrator')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await isAdmin(['admin'])).toBe(false);
  });

  it('has the issuer and the audience that the settings name', async () => {
    const rules: TokenRules = { ...RULES, issuer: 'us', audience: 'images' };
    const authenticate = authenticateBy(rules);
    const claims = { owner: 'ann', scope: null, lifetime: 60_000 };
    const good = await signToken(SECRET, { ...claims, issuer: 'us', audience: 'images' });
    const bad = await signToken(SECRET, { ...claims, issuer: 'us', audience: 'mail' });
    expect(await authenticate(`Bearer ${good.token}`)).toMatchObject({ owner: 'ann' });
    await expect(authenticate(`Bearer ${bad.token}`)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('that was remembered still ends at its time', async () => {
    let now = NOW * 1000;
    const authenticate = authenticateBy(RULES, () => now);
    const { token } = await signToken(
      SECRET,
      { owner: 'ann', scope: null, lifetime: 60_000, issuer: null, audience: null },
      now,
    );
    expect(await authenticate(`Bearer ${token}`)).toMatchObject({ owner: 'ann' });
    now += 59_000;
    expect(await authenticate(`Bearer ${token}`)).toMatchObject({ owner: 'ann' });
    now += 10_000;
    await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('the server of public keys', () => {
  it('is asked once in a cooldown, however many unknown keys the tokens name', async () => {
    const keys = await keyServer();
    const authenticate = authenticateBy({ secrets: [], jwks: keys.url, issuer: 'us', audience: 'images' });
    const claims = { sub: 'ann', iss: 'us', aud: 'images', exp: NOW + 600 };
    for (const kid of ['two', 'three', 'four', 'five'])
      await expect(authenticate(`Bearer ${rs256(claims, { kid })}`)).rejects.toMatchObject({
        code: 'unauthorized',
      });
    expect(await authenticate(`Bearer ${rs256(claims)}`)).toMatchObject({ owner: 'ann' });
    expect(keys.asked()).toBe(1);
  });

  it.each([
    ['an error', { status: 500 }],
    ['a page', { text: '<html>' }],
    ['other JSON', { text: '{"keys":[1]}' }],
  ])('is asked once in a cooldown also when it answers with %s: 503, and not 401', async (_, answer) => {
    const keys = await keyServer(answer);
    const authenticate = authenticateBy({ secrets: [], jwks: keys.url, issuer: 'us', audience: 'images' });
    for (let i = 0; i < 3; i++) {
      const token = rs256({ sub: `ann-${i}`, iss: 'us', aud: 'images', exp: NOW + 600 });
      await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({
        code: 'unavailable',
        status: 503,
      });
    }
    expect(keys.asked()).toBe(1);
  });

  it('does not matter for a token with a secret', async () => {
    const keys = await keyServer();
    const authenticate = authenticateBy({ secrets: [SECRET], jwks: keys.url, issuer: null, audience: null });
    expect(await authenticate(`Bearer ${hs256({ sub: 'ann' })}`)).toMatchObject({ owner: 'ann' });
    expect(keys.asked()).toBe(0);
  });
});
