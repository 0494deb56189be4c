import { lifetimeType, readSecrets } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import { prepare, type Verb } from './verb.ts';

export const tokenVerb: Verb = {
  summary: 'make a token for the service',
  description: 'Signs a token for `imgtool serve` with the first secret of --jwt-secret-file, and prints it.',
  settings: ['tokens', 'display', 'settings'],
  options: [
    ['--sub <name>', 'owner of the images that are uploaded with this token'],
    ['--expires <time>', 'how long the token is valid', '1h'],
    ['--scope <word>', 'admin: the token is for the operator too'],
  ],
  examples: [
    'imgtool token --sub anna --jwt-secret-file secrets.txt',
    'imgtool token --sub operator --scope admin --expires 12h --jwt-secret-file secrets.txt',
  ],
  async run(call) {
    const { config, print } = await prepare(call);
    const { sub, scope, expires } = call.options;
    const lifetime = lifetimeType.read(expires, { code: 'usage', text: '--expires' });
    const { jwtSecretFile, jwtIssuer: issuer, jwtAudience: audience } = config;
    if (jwtSecretFile === null) {
      throw new ImgtoolError('usage', '--jwt-secret-file: a token needs a secret', {
        fix: 'openssl rand -hex 32 > secrets.txt, then imgtool token --sub NAME --jwt-secret-file secrets.txt',
      });
    }
    const [secret = ''] = readSecrets(jwtSecretFile);
    const { ADMIN, isOwner, signToken } = await import('../http/auth.ts');
    if (!isOwner(sub)) {
      throw new ImgtoolError('usage', '--sub: expected a name of 1 to 255 bytes without control characters', {
        fix: 'imgtool token --sub NAME',
      });
    }
    if (scope !== undefined && scope !== ADMIN) {
      throw new ImgtoolError('usage', `--scope: expected ${ADMIN}, got ${JSON.stringify(scope)}`, {
        fix: `leave --scope out, or use --scope ${ADMIN}`,
      });
    }
    const claims = { owner: sub, scope: scope ?? null, lifetime, issuer, audience };
    const { token, expiresAt } = await signToken(secret, claims);
    const shown = { v: 1, token, sub, expires_at: new Date(expiresAt).toISOString() };
    await print(shown, () => `${token}\n`);
    return 'ok';
  },
};
