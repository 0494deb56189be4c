import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { envName, KEYS } from '../../src/config/settings.ts';
import { blocks, ROOT } from './pages.ts';
import { makeReader } from './reader.ts';

// The files with which the service is put into operation: Dockerfile, compose.yaml, the unit of systemd, and Nginx's.

const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replaceAll(/ *\\\n */g, ' ');
/** The instructions after the last FROM, which make the image that runs. */
const RUNNING = (DOCKERFILE.split(/^FROM /m).at(-1) ?? '').split('\n').slice(1);
const instructions = (name: string, lines = RUNNING) =>
  lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
const ENV = Object.fromEntries(instructions('ENV').map((text) => text.split('=') as [string, string]));
const COMPOSE = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as {
  services: {
    imgtool: { ports: string[]; volumes: string[]; secrets: string[]; environment: Record<string, string> };
  };
  secrets: Record<string, { file: string }>;
  volumes: Record<string, null>;
};

const portOf = (address = '') => address.split(':').at(-1);
const wordsOf = (name: string) => JSON.parse(instructions(name)[0] ?? '[]') as string[];

describe('the Dockerfile', () => {
  it('copies only files that there are', () => {
    const copied = instructions('COPY', DOCKERFILE.split('\n')).filter((text) => !text.startsWith('--from'));
    const sources = copied.flatMap((text) => text.split(' ').slice(0, -1));
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    // Docker is sent nothing else, above all no secrets.
    const [everything, ...sent] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const names = [...new Set(sources.map((path) => path.split('/')[0]))];
    expect([everything, sent.sort()]).toEqual(['*', names.map((name) => `!${name}`).sort()]);
  });

  it('sets only variables of settings, and exposes the ports of the two addresses', () => {
    const known = [...KEYS.map(envName), 'NODE_ENV'];
    expect(Object.keys(ENV).filter((name) => !known.includes(name))).toEqual([]);
    const ports = [ENV.IMGTOOL_LISTEN, ENV.IMGTOOL_ADMIN].map(portOf);
    expect(instructions('EXPOSE')).toEqual([ports.join(' ')]);
    for (const name of ['IMGTOOL_INDEX', 'IMGTOOL_STORAGE']) {
      expect(dirname(ENV[name] ?? '')).toBe(instructions('VOLUME')[0]);
    }
  });

  it('runs as a user without rights, and stops by a signal that the service knows', () => {
    expect(instructions('USER')).toEqual(['node']);
    expect(instructions('STOPSIGNAL')).toEqual(['SIGTERM']);
  });

  it('makes a container whose service runs with these files alone, and whose health can be checked', async () => {
    const { place, start } = makeReader();
    const root = join(place, 'container/imgtool');
    mkdirSync(root, { recursive: true });
    for (const text of instructions('COPY')) {
      const words = text.split(' ').filter((word) => !word.startsWith('--'));
      const target = words.pop() ?? '';
      for (const from of words.map((word) => word.replace(/^\/imgtool\//, ''))) {
        cpSync(join(ROOT, from), target === './' ? join(root, from) : join(root, target), {
          recursive: true,
        });
      }
    }
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    mkdirSync(join(place, 'data'));
    symlinkSync(join(root, 'bin/imgtool.js'), join(place, 'bin/contained'));
    const here = (value: string) =>
      value.replace(/^\/data/, join(place, 'data')).replace(/^0\.0\.0\.0:\d+$/, '0.0.0.0:0');
    const env = Object.fromEntries(Object.entries(ENV).map(([name, value]) => [name, here(value)]));
    expect([...wordsOf('ENTRYPOINT'), ...wordsOf('CMD')]).toEqual(['imgtool', 'serve']);
    const refused = start('exec contained serve', env);
    await refused.printed(/can be reached by strangers/);
    const { printed, stop } = start('exec contained serve', {
      ...env,
      IMGTOOL_JWT_SECRET_FILE: join(place, 'secrets.txt'),
    });
    const [, port = ''] = await printed(/listening url=http:\/\/\S+:(\d+)/);
    const check = JSON.parse(
      /CMD (\[.*\])$/.exec(instructions('HEALTHCHECK')[0] ?? '')?.[1] ?? '[]',
    ) as string[];
    const [command = '', ...args] = check;
    const isHealthy = () =>
      spawnSync(command, args, { env: { ...process.env, IMGTOOL_LISTEN: `0.0.0.0:${port}` } }).status;
    expect(isHealthy()).toBe(0);
    expect(existsSync(join(place, 'data/imgtool.serve.db'))).toBe(true);
    expect(await stop('SIGTERM')).toBe('SIGTERM');
    expect(isHealthy()).toBe(1);
  });
});

describe('compose.yaml', () => {
  const { imgtool } = COMPOSE.services;

  it('publishes the ports of the container to this machine alone', () => {
    const ports = instructions('EXPOSE')[0]?.split(' ') ?? [];
    expect(imgtool.ports).toEqual(ports.map((port) => `127.0.0.1:${port}:${port}`));
  });

  it('gives the container a volume for all it keeps, and the secrets as a file', () => {
    expect(imgtool.volumes).toEqual([`data:${instructions('VOLUME')[0]}`]);
    expect(Object.keys(COMPOSE.volumes)).toEqual(['data']);
    expect(imgtool.environment).toEqual({ IMGTOOL_JWT_SECRET_FILE: `/run/secrets/${imgtool.secrets[0]}` });
    const [file] = Object.values(COMPOSE.secrets);
    expect(file).toEqual({ file: './secrets.txt' });
    // The secrets must not come into the repository.
    expect(readFileSync(join(ROOT, '.gitignore'), 'utf8')).toContain('/secrets.txt\n');
  });
});

describe('the unit of systemd', () => {
  const [unit = ''] = blocks('serve', 'ini');

  it('starts a service with its records where systemd wants them, and ends by SIGTERM', async () => {
    const { place, start } = makeReader();
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    expect(unit).toContain('LoadCredential=secrets:/etc/imgtool/secrets.txt');
    mkdirSync(join(place, 'credentials'));
    cpSync(join(place, 'secrets.txt'), join(place, 'credentials/secrets'));
    const here = command.replace('/usr/local/bin/', '').replace('%d', join(place, 'credentials'));
    const { printed, stop } = start(`exec ${here}`, { STATE_DIRECTORY: join(place, 'service') });
    await printed(/listening url=/);
    expect(await stop('SIGTERM')).toBe('SIGTERM');
    expect(existsSync(join(place, 'service/imgtool.serve.db'))).toBe(true);
    expect(existsSync(join(place, 'service/storage'))).toBe(true);
  });

  it('is one that systemd accepts', ({ skip }) => {
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) return skip('no systemd here');
    const { place } = makeReader();
    const path = join(place, 'imgtool-serve.service');
    writeFileSync(path, unit.replace('/usr/local/bin/imgtool', join(place, 'bin/imgtool')));
    const { stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    // Units of the machine that are not right are no fault of this one.
    expect(stderr.split('\n').filter((line) => line.includes('imgtool-serve'))).toEqual([]);
  });
});

describe('the sample for Nginx', () => {
  const ended: (() => void)[] = [];
  afterEach(() => {
    for (const end of ended.splice(0)) end();
  });
  const nginx = ['/usr/sbin/nginx', 'nginx'].find((one) => spawnSync(one, ['-v']).status === 0);

  it('is accepted by Nginx, serves outputs itself, and nothing else of the storage', async ({ skip }) => {
    if (nginx === undefined) return skip('no Nginx here: apt-get install nginx-light');
    const { place, run, start } = makeReader();
    chmodSync(place, 0o755);
    const { printed, stop } = start(
      'exec imgtool serve --jwt-secret-file secrets.txt --trust-proxy loopback',
    );
    const [, port = ''] = await printed(/listening url=http:\/\/127\.0\.0\.1:(\d+)/);
    const [sample = ''] = blocks('serve', 'nginx');
    const certificate =
      'openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=images.example.com -keyout key.pem -out cert.pem';
    expect(run(`${certificate} 2>/dev/null`)).toMatchObject({ status: 0 });
    const socket = join(place, 'nginx.sock');
    const site = sample
      .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
      .replace('listen 443', `listen unix:${socket}`)
      .replace(/ssl_certificate .*;/, `ssl_certificate ${place}/cert.pem;`)
      .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${place}/key.pem;`)
      .replaceAll('/var/lib/imgtool-serve', join(place, 'state/imgtool'));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (what) => `${what}_temp_path ${place}/${what};`,
    );
    const whole = [
      ...(process.getuid?.() === 0 ? ['user root;'] : []),
      `pid ${place}/nginx.pid;\nevents {}`,
      `http { access_log off; types { image/webp webp; }\n${temporary.join('\n')}\n${site} }`,
    ];
    writeFileSync(join(place, 'nginx.conf'), whole.join('\n'));
    const args = ['-c', join(place, 'nginx.conf'), '-e', join(place, 'nginx.log')];
    const tested = spawnSync(nginx, ['-t', ...args], { encoding: 'utf8' });
    expect(tested).toMatchObject({ status: 0, stderr: expect.stringContaining('test is successful') });
    expect(tested.stderr).not.toMatch(/\[(warn|error|emerg)\]/);
    // Nginx returns once it listens.
    expect(spawnSync(nginx, args)).toMatchObject({ status: 0 });
    ended.push(() => spawnSync(nginx, ['-s', 'stop', ...args]));

    const curl = `curl -sSik --http1.1 --unix-socket ${socket} -H "Authorization: Bearer $(imgtool token --sub anna --jwt-secret-file secrets.txt)"`;
    const ask = (what: string) => run(`${curl} ${what}`).stdout;
    const accepted = ask(
      'https://localhost/api/v1/images/upload -F file=@photos/umang.jpg -F bucket=holidays',
    );
    expect(accepted).toContain('HTTP/1.1 202 ');
    const [, image = '', job = ''] = /"image_id":"([^"]+)".*jobs\/([^"]+)"/.exec(accepted) ?? [];
    await printed(new RegExp(`completed image=${image}`));
    const [, path = ''] =
      /"medium":"([^"]+)"/.exec(ask(`https://localhost/api/v1/images/jobs/${job}/result`)) ?? [];
    // What Nginx does not serve itself, imgtool refuses.
    writeFileSync(join(place, `state/imgtool/storage/staging/${image}`), 'secret');
    for (const hidden of [
      `staging/${image}`,
      '.staged/x.tmp',
      '%2e%2e/index.serve.db',
      `holidays/processed/../../staging/${image}`,
    ]) {
      const answer = ask(`--path-as-is https://localhost/storage/${hidden}`);
      expect(answer, hidden).toMatch(/^HTTP\/1\.1 (400|404) /);
      expect(answer, hidden).not.toContain('secret');
    }
    // Outputs do not need imgtool.
    await stop('SIGTERM');
    const output = ask(`https://localhost${path} -o /dev/null -D -`);
    expect(output).toMatch(/^HTTP\/1\.1 200 /);
    expect(output).toContain('Content-Type: image/webp');
    expect(output).toContain('Cache-Control: public, max-age=31536000, immutable\r\n');
    const stored = join(place, `state/imgtool${path}`);
    rmSync(stored);
    symlinkSync(join(place, 'secrets.txt'), stored);
    expect(ask(`https://localhost${path}`)).toMatch(/^HTTP\/1\.1 403 /);
  });
});
