import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BINARY } from '../peers/imgtool.js';
import { ask, run, start } from '../run.js';

const PEERS = join(import.meta.dirname, '../peers');
const SECRET = 'a secret of the benchmark, of more than 32 bytes';
const PYTHONS = ['/usr/bin/python3', 'python3', 'python'];
const PARTS = [
  'import fastapi, celery, redis, PIL, multipart, jwt, uvicorn, uvloop, httptools',
  "print(f'FastAPI {fastapi.__version__}, Celery {celery.__version__}, Pillow {PIL.__version__}')",
];
/** The packages of Debian that have them. */
const PACKAGES = ['fastapi', 'uvicorn', 'uvloop', 'httptools', 'multipart', 'celery', 'redis', 'pil', 'jwt'];

/** `imgtool serve` without a limit of uploads. */
export async function imgtoolService(place) {
  const secrets = join(place, 'secrets.txt');
  writeFileSync(secrets, SECRET, { mode: 0o600 });
  const token = await run(
    process.execPath,
    [BINARY, 'token', '--sub', 'bench', '--jwt-secret-file', secrets, '--no-config'],
    { capture: true },
  );
  const server = await start(
    process.execPath,
    [
      ...[BINARY, 'serve', '--listen', '127.0.0.1:0', '--admin', 'none', '--rate-limit', 'none'],
      ...['--jwt-secret-file', secrets, '--index', join(place, 'imgtool.db')],
      ...['--storage', join(place, 'storage'), '--no-config'],
    ],
    { ready: /http:\/\/127\.0\.0\.1:(\d+)/ },
  );
  return { name: 'imgtool', port: Number(server.said[1]), token: token.stdout.trim(), stop: server.stop };
}

/** A route of fastify that always has this answer. */
export async function bareRoute(answer) {
  const server = await start(process.execPath, [join(PEERS, 'fastify-route.js'), JSON.stringify(answer)], {
    ready: /http:\/\/127\.0\.0\.1:(\d+)/,
  });
  return { name: 'bare fastify route', port: Number(server.said[1]), token: '', stop: server.stop };
}

/** FastAPI, Celery with two workers, Redis and Pillow; or what is missing. */
export async function fastapiService(place, workers = 2) {
  const found = await pythonWith();
  const redis = await ask('redis-server', ['--version'], /v=(\S+)/);
  if (found === undefined || redis === null) {
    const packages = ['redis-server', ...PACKAGES.map((name) => `python3-${name}`)].join(' ');
    return { missing: `FastAPI, Celery, Redis and Pillow (on Debian: apt-get install ${packages})` };
  }
  const folder = join(place, 'fastapi');
  mkdirSync(folder);
  const port = await freePort();
  const env = { PLACE: folder, REDIS: `redis://127.0.0.1:${port}/0`, SECRET, PYTHONPATH: PEERS };
  const python = (args, ready) => start(found.python, args, { env, ready });
  const queue = await start(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    { ready: /Ready to accept connections/ },
  );
  const web = await python(
    ['-m', 'uvicorn', 'fastapi_service:app', '--port', '0', '--no-access-log'],
    /running on http:\/\/127\.0\.0\.1:(\d+)/,
  );
  const worker = await python(
    ['-m', 'celery', '-A', 'fastapi_service:tasks', 'worker', '-c', `${workers}`, '-l', 'WARNING'],
    /celery@/,
  );
  const payload = `import jwt; print(jwt.encode({'sub': 'bench'}, '${SECRET}', algorithm='HS256'))`;
  const token = await run(found.python, ['-c', payload], { capture: true });
  return {
    name: 'FastAPI, Celery',
    version: `${found.version}, Redis ${redis}`,
    port: Number(web.said[1]),
    token: token.stdout.trim(),
    stop: async () => {
      for (const { stop } of [worker, web, queue]) await stop();
    },
  };
}

async function pythonWith() {
  for (const python of PYTHONS) {
    const version = await ask(python, ['-c', PARTS.join('\n')], /(.+)/);
    if (version !== null) return { python, version };
  }
  return undefined;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
