import { hash } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
  SignJWT,
} from 'jose';
import { ImgtoolError } from '../errors.ts';
import { Refusal } from './problem.ts';

/** Who sends a request. */
export interface Caller {
  readonly owner: string;
  readonly isAdmin: boolean;
}

/** What a valid token is. */
export interface TokenRules {
  /** Secrets of HS256. */
  readonly secrets: readonly string[];
  /** Address of public keys. Their tokens must have `exp`, issuer and audience. */
  readonly jwks: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** Finds out who sends a request by its header `Authorization`. Errors: `unauthorized`, `unavailable`. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

/** The caller of each request to a service without tokens. */
export const LOCAL: Caller = { owner: 'local', isAdmin: true };

/** Public keys alone: a public key must never count as a secret. */
const ASYMMETRIC = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Seconds by which clocks may differ. */
const TOLERANCE = 5;
/** Milliseconds between two requests for public keys. */
const COOLDOWN = 30_000;
const KEYS_TIMEOUT = 5_000;
const LONGEST_OWNER = 255;
/** The scope of the operator. */
export const ADMIN = 'admin';
/** Tokens to remember, and for how many milliseconds: a withdrawn key must not count for ever. */
const REMEMBERED = 10_000;
const REMEMBERED_FOR = 600_000;

export function authenticateBy(rules: TokenRules, now = Date.now): Authenticate {
  const verify = verifierOf(rules, now);
  const known = new Map<string, { readonly caller: Caller; readonly until: number }>();
  return async (authorization) => {
    if (authorization === undefined) throw unauthorized('missing');
    const [, token = ''] = /^Bearer +([\w.-]+) *$/i.exec(authorization) ?? [];
    if (token === '') throw unauthorized('malformed');
    const digest = hash('sha256', token, 'base64');
    const before = known.get(digest);
    if (before !== undefined && now() < before.until) return before.caller;
    known.delete(digest);
    const claims = await verify(token);
    const caller = callerOf(claims);
    // The oldest entry is the first one.
    const [oldest = ''] = known.keys();
    if (known.size >= REMEMBERED) known.delete(oldest);
    const expires = (claims.exp ?? Number.POSITIVE_INFINITY) * 1000;
    known.set(digest, { caller, until: Math.min(expires, now() + REMEMBERED_FOR) });
    return caller;
  };
}

/** One answer for every reason: it must not help to guess tokens. The reason is for the log. */
function unauthorized(reason: string, cause?: unknown): Refusal {
  return new Refusal('unauthorized', 'the token is missing or not valid', {
    fix: 'send the header Authorization: Bearer <token> with a valid token; imgtool token makes one',
    headers: { 'www-authenticate': 'Bearer' },
    ...{ reason, cause },
  });
}

/** What is wrong with a token, by the code of the error and by the claim. Anything else is malformed. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'expired',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'unknown_key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'unknown_key',
};
const OF_CLAIMS: Readonly<Record<string, string>> = {
  exp: 'expiry',
  nbf: 'not_yet_valid',
  iss: 'issuer',
  aud: 'audience',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof errors.JOSEError)) return 'malformed';
  const claim = error instanceof errors.JWTClaimValidationFailed ? OF_CLAIMS[error.claim] : undefined;
  return claim ?? REASONS[error.code] ?? 'malformed';
}

function callerOf({ sub, scope }: JWTPayload): Caller {
  if (!isOwner(sub)) throw unauthorized('subject');
  return { owner: sub, isAdmin: typeof scope === 'string' && scope.split(' ').includes(ADMIN) };
}

/** Whether this can be an owner. An owner is shown in logs, and must not break their lines. */
export function isOwner(sub: unknown): sub is string {
  if (typeof sub !== 'string' || /^$|[\0-\x1f\x7f]/.test(sub)) return false;
  return Buffer.byteLength(sub) <= LONGEST_OWNER;
}

function verifierOf({ secrets, jwks, issuer, audience }: TokenRules, now: () => number) {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));
  const publicKeys = jwks === null ? undefined : publicKeysAt(jwks, now);
  const claims = (): JWTVerifyOptions => ({
    ...(issuer === null ? {} : { issuer }),
    ...(audience === null ? {} : { audience }),
    clockTolerance: TOLERANCE,
    currentDate: new Date(now()),
  });

  async function bySecret(token: string): Promise<JWTPayload> {
    for (const key of keys) {
      try {
        return (await jwtVerify(token, key, { ...claims(), algorithms: ['HS256'] })).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    throw unauthorized('signature');
  }

  return async (token: string): Promise<JWTPayload> => {
    try {
      if (decodeProtectedHeader(token).alg === 'HS256' || publicKeys === undefined)
        return await bySecret(token);
      const rules = { ...claims(), algorithms: ASYMMETRIC, requiredClaims: ['exp', 'iss', 'aud'] };
      return (await jwtVerify(token, publicKeys, rules)).payload;
    } catch (error) {
      throw error instanceof ImgtoolError ? error : unauthorized(reasonOf(error), error);
    }
  };
}

/** The keys at an address. A failed request counts for the cooldown too. */
function publicKeysAt(url: string, now: () => number) {
  let failedAt = Number.NEGATIVE_INFINITY;
  return createRemoteJWKSet(new URL(url), {
    cooldownDuration: COOLDOWN,
    timeoutDuration: KEYS_TIMEOUT,
    async [customFetch](address, options) {
      const left = failedAt + COOLDOWN - now();
      if (left > 0) throw keysUnavailable(left);
      try {
        const answer = await fetch(address, options);
        if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
        const keys = (await answer.json()) as JSONWebKeySet;
        // Throws for what is no set of keys.
        createLocalJWKSet(keys);
        return Response.json(keys);
      } catch (error) {
        failedAt = now();
        throw keysUnavailable(COOLDOWN, error);
      }
    },
  });
}

function keysUnavailable(left: number, cause?: unknown): Refusal {
  const message = 'the keys of the server that signs tokens could not be read';
  return new Refusal('unavailable', message, { retryAfter: Math.ceil(left / 1000), cause });
}

/** What a new token says. */
export interface TokenClaims {
  readonly owner: string;
  readonly scope: string | null;
  /** Milliseconds. */
  readonly lifetime: number;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** A token that the service accepts, and the time of its end in milliseconds since 1970. */
export async function signToken(secret: string, claims: TokenClaims, now = Date.now()) {
  const { owner, scope, lifetime, issuer, audience } = claims;
  const issuedAt = Math.floor(now / 1000);
  const expiresAt = issuedAt + Math.ceil(lifetime / 1000);
  const token = new SignJWT(scope === null ? {} : { scope })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(owner)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt);
  if (issuer !== null) token.setIssuer(issuer);
  if (audience !== null) token.setAudience(audience);
  return { token: await token.sign(new TextEncoder().encode(secret)), expiresAt: expiresAt * 1000 };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for all routes that need a token. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** Whether the route is for callers with a token. */
    needsToken?: boolean;
  }
}
