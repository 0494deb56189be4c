import { SignJWT } from 'jose';

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
