import { once } from 'node:events';
import {
  type Config,
  flagsOf,
  hintAsFlags,
  hostAndPort,
  isLoopback,
  isProgram,
  loadConfig,
  readSecrets,
  warnIfOpen,
} from '../config.ts';
import type { Engine } from '../engine.ts';
import { ImgtoolError } from '../errors.ts';
import type { HttpOptions, Presets } from '../http/options.ts';
import { hintForUploads } from '../model/failures.ts';
import type { ServeEvent } from '../serve/events.ts';
import { type Call, type Outcome, prepare, type Verb, withEngine } from './verb.ts';

/** Milliseconds that uploads and images in work have to finish when the service stops. */
const GRACE = 10_000;
/** Milliseconds for which uploads without a record are kept: their request may not have ended. */
const ORPHANS_KEPT = 86_400_000;
/** Words a hint about an upload. */
const wordUpload = (hint: string) => hintAsFlags(hintForUploads(hint));
/** Presets of requests that name none, unless the settings name one. */
const USUAL = { ofImage: 'archive', ofBatch: 'gallery' };

export const serveVerb: Verb = {
  summary: 'render images that are uploaded by HTTP, until stopped',
  description:
    'Accepts uploads by HTTP and renders them, until Ctrl-C. An upload can name a preset. --preset is for uploads that ' +
    'name none.',
  settings: ['serve', 'tokens', 'variants', 'limits', 'work', 'display', 'settings'],
  // They say how a batch is displayed.
  hidden: ['--profile', '--progress'],
  about: {
    '--preset':
      'preset of uploads that name none, see `imgtool presets` (default: archive for /api/v1/images, gallery for /upload and /batch)',
  },
  examples: ['imgtool serve', 'imgtool serve --jwt-secret-file secrets.txt'],
  async run(call) {
    const { config } = await prepare(call);
    const options = await httpOptions(config, call);
    return withEngine(config, (engine) => serve(call, config, options, engine));
  },
};

async function serve(call: Call, config: Config, options: HttpOptions, engine: Engine): Promise<Outcome> {
  const { streams, signal, hearSignals } = call;
  const { json, quiet, verbose, look, storage } = config;
  const timestamps = !look.journal;
  const { createServeReport } = await import('../report/serve.ts');
  const report = createServeReport({ ...streams, json, quiet, verbose, timestamps, wordHint: hintAsFlags });
  const [{ openHttp, createMetrics }, { openService, storeBeside }] = await Promise.all([
    import('../http/server.ts'),
    import('../serve/open.ts'),
  ]);
  hearSignals(engine.kill);
  const metrics = createMetrics();
  const emit = (event: ServeEvent) => {
    metrics.hear(event);
    report(event);
  };
  const service = await openService({
    ...{ engine, emit, storage, options: config, store: storeBeside(config.index) },
    keep: { failed: config.keepFailed, orphans: ORPHANS_KEPT },
  });
  const waiting = async () => {
    const { pending, retrying, processing } = (await service.store.stats()).states;
    return pending + retrying + processing;
  };
  try {
    const http = await openHttp(service, options, metrics);
    try {
      const { service: url, admin } = http.urls;
      report({ type: 'listening', url, admin, storage, tokens: tokensOf(options), waiting: await waiting() });
      const secrets = config.jwtSecretFile === null ? [] : warnIfOpen(config.jwtSecretFile);
      for (const warning of [...config.warnings, ...secrets]) report({ ...warning, type: 'warning' });
      if (!signal.aborted) await once(signal, 'abort');
      report({ type: 'stopping', busy: service.worker.busy() });
      await Promise.all([http.drain(GRACE), service.worker.stop(GRACE)]);
    } finally {
      await http.close();
    }
    report({ type: 'stopped', waiting: await waiting().catch(() => null) });
    return 'ok';
  } finally {
    await service.close();
  }
}

function tokensOf({ tokens }: HttpOptions) {
  if (tokens === null) return 'none';
  if (tokens.jwks === null) return 'secrets';
  return tokens.secrets.length === 0 ? 'jwks' : 'secrets and jwks';
}

/** Errors: `usage` for an address that strangers reach without a token, and for keys without issuer and audience. */
async function httpOptions(config: Config, call: Call): Promise<HttpOptions> {
  assertUsable(config);
  const { listen, admin, jwks, jwtIssuer: issuer, jwtAudience: audience, jwtSecretFile } = config;
  const tokens =
    jwtSecretFile === null && jwks === null
      ? null
      : { secrets: jwtSecretFile === null ? [] : readSecrets(jwtSecretFile), jwks, issuer, audience };
  if (jwks !== null && (issuer === null || audience === null)) {
    throw new ImgtoolError('usage', '--jwks: such tokens need an issuer and an audience', {
      fix: 'add {{jwtIssuer}} and {{jwtAudience}}: other services may use the same keys',
    });
  }
  for (const [setting, address] of Object.entries({ listen, admin })) {
    if (address === null || tokens !== null || isLoopback(hostAndPort(address).host)) continue;
    throw new ImgtoolError(
      'usage',
      `--${setting}: ${address} can be reached by strangers, and there are no tokens`,
      {
        fix: 'openssl rand -hex 32 > secrets.txt, then add {{jwtSecretFile secrets.txt}}',
      },
    );
  }
  const { maxUpload, maxFiles, accept, maxQueue, rateLimit, scan, limits } = config;
  return {
    ...{ tokens, isPrivate: config.private, trustProxy: config.trustProxy, publicUrl: config.publicUrl },
    ...{
      corsOrigins: config.corsOrigin,
      jobs: config.jobs,
      version: call.program.version() ?? '',
      wordHint: wordUpload,
    },
    listen: hostAndPort(listen),
    admin: admin === null ? null : hostAndPort(admin),
    isAdminOpen: admin !== null && isLoopback(hostAndPort(admin).host),
    uploads: {
      ...{ maxUpload, maxFiles, accept, maxQueue, allowSvg: limits.allowSvg },
      quota: tokens === null ? null : rateLimit,
      scan: scan === null ? null : scan.trim().split(/\s+/),
    },
    presets: await presetsOf(config, call),
  };
}

/** Errors: `usage` for settings with which each upload would fail. */
function assertUsable({ accept, limits, scan }: Config): void {
  if (accept.includes('svg') && !limits.allowSvg) {
    throw new ImgtoolError('usage', '--accept: svg is rendered only with --allow-svg', {
      fix: 'add {{allowSvg}} if you trust those who upload, or leave svg out of {{accept}}',
    });
  }
  const [program] = scan?.trim().split(/\s+/) ?? [];
  if (program === undefined || isProgram(program)) return;
  throw new ImgtoolError('usage', `--scan: there is no program ${program}`, {
    fix: 'install it, or write its whole path, such as {{scan /usr/bin/clamdscan}}',
  });
}

/** All presets, with the metadata and the effort that the settings ask for. */
async function presetsOf({ presets, preset, origins, cwd }: Config, { options }: Call): Promise<Presets> {
  const { variants: _, ...flags } = flagsOf(options);
  const named = async (name: string) => {
    try {
      return (await loadConfig({ flags: { ...flags, preset: name }, cwd })).preset;
    } catch (error) {
      if (!(error instanceof ImgtoolError)) throw error;
      throw new ImgtoolError(error.code, `preset ${name}: ${error.message}`, error);
    }
  };
  const isChosen = origins.some(({ key, origin }) => key === 'preset' && origin !== 'default');
  const others = presets.filter(({ name }) => !isChosen || name !== preset.name);
  const all = [...(isChosen ? [preset] : []), ...(await Promise.all(others.map(({ name }) => named(name))))];
  if (isChosen) return { all, ofImage: preset, ofBatch: preset };
  return { all, ofImage: await named(USUAL.ofImage), ofBatch: await named(USUAL.ofBatch) };
}
