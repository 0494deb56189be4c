import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { envName, KEYS } from '../../src/config/settings.ts';
import { blocks, codes, page, prose, ROOT, rows, shape } from './pages.ts';
import { makeReader } from './reader.ts';

// The page of the service, tried out against a real one.

const [start = '', upload = '', ...more] = blocks('serve', 'bash');
const [TOKEN = ''] = upload.split('\n');
/** The JSON of the page: the answer to an upload, a job, a result that is not there yet, and a result. */
const [accepted = '', job = '', notReady = '', result = ''] = blocks('serve', 'json');
const [, SERVE = ''] = start.split('\n');

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** The ids of the page in the order of their appearance, with those of a real answer. */
function realIds(shown: string, real: string): ReadonlyMap<string, string> {
  const own = real.match(UUID) ?? [];
  return new Map((shown.match(UUID) ?? []).map((id, i) => [id, own[i] ?? id]));
}

/** A service that runs as the page says, with a photograph already rendered: its child process is there. */
async function startService() {
  const reader = makeReader();
  const { place, run } = reader;
  writeFileSync(join(place, '.curlrc'), 'silent\nshow-error\n');
  expect(run(start.split('\n')[0] ?? '')).toMatchObject({ status: 0 });
  const { pid, printed, stop } = reader.start(`exec ${SERVE}`);
  const [, url = '', admin = ''] = await printed(/listening url=(\S+) admin=(\S+)/);
  let ids: ReadonlyMap<string, string> = new Map();
  const ask = (script: string) => {
    const here = script
      .replaceAll('http://localhost:8000', url)
      .replaceAll('http://localhost:5555', admin)
      .replace(UUID, (id) => ids.get(id) ?? id);
    const { status, stdout, stderr } = run(`${TOKEN}\n${here}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };
  ask(upload.replace('umang', 'wine'));
  await printed(/completed image=/);
  return {
    ...{ ...reader, pid, printed, stop, url, ask },
    /** From now on, the ids of the page stand for those of an answer. */
    meet: (shown: string, real: string) => {
      ids = new Map([...ids, ...realIds(shown, real)]);
    },
  };
}

/** Sends a signal to the child processes that render. */
function signalChildren(pid: number, signal: NodeJS.Signals): void {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  const children = stdout.split('\n').filter(Boolean).map(Number);
  expect(children.length).toBeGreaterThan(0);
  for (const child of children) process.kill(child, signal);
}

describe('the page of the service', () => {
  it('shows an upload, its job, and its result: first 409, then the outputs', async () => {
    const { place, pid, printed, ask, meet } = await startService();
    const [askJob = '', askResult = '', fetchOutput = ''] = more;
    // The child must not be faster than the next requests.
    signalChildren(pid, 'SIGSTOP');
    const [head = '', body = ''] = ask(upload).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 202 /);
    expect(head.toLowerCase()).toMatch(
      /x-ratelimit-limit: 50\r\nx-ratelimit-remaining: 48\r\nx-ratelimit-reset/,
    );
    expect(shape(JSON.parse(body))).toEqual(shape(JSON.parse(accepted)));
    meet(accepted, body);
    expect(shape(JSON.parse(ask(askJob)))).toEqual(shape(JSON.parse(job)));
    expect(JSON.parse(ask(askResult))).toEqual(JSON.parse(notReady));
    signalChildren(pid, 'SIGCONT');
    await printed(new RegExp(`completed image=${JSON.parse(body).image_id}`));
    const shown = JSON.parse(ask(askResult));
    expect(shape(shown)).toEqual(shape(JSON.parse(result)));
    expect(Object.keys(shown.urls)).toEqual(Object.keys(JSON.parse(result).urls));
    expect(shown.metadata.context).toEqual(JSON.parse(result).metadata.context);
    ask(fetchOutput);
    expect(readdirSync(place)).toContain(`${shown.image_id}_medium.webp`);
  });

  it('shows a batch of several files, its progress and its images', async () => {
    const { ask, meet, printed, url } = await startService();
    const [batch = ''] = blocks('serve', 'bash').filter((block) => block.includes('/batch/'));
    const [send = '', ...rest] = batch.split(/\n(?=curl)/);
    const answer = ask(send);
    const { images, status_url: status } = JSON.parse(answer) as {
      images: { image_id: string; image_name: string }[];
      status_url: string;
    };
    expect(images.map(({ image_name }) => image_name)).toEqual(['umang.jpg', 'wine.jpg']);
    meet(batch, answer);
    for (const { image_id } of images) await printed(new RegExp(`(completed|duplicate) image=${image_id}`));
    expect(JSON.parse(ask(rest[0] ?? ''))).toMatchObject({
      status: 'completed',
      total_images: 2,
      completed: 2,
    });
    expect(JSON.parse(ask(rest[1] ?? '')).images).toHaveLength(2);
    expect(JSON.parse(ask(`curl -H "Authorization: Bearer $TOKEN" ${url}${status}`))).toMatchObject({
      progress: 1,
    });
  });

  describe('for clients in Python', () => {
    const python = ['/usr/bin/python3', 'python3'].find(
      (one) => spawnSync(one, ['-c', 'import httpx']).status === 0,
    );

    /** What a program prints that is given a token. */
    async function runPython(program: (url: string) => string) {
      const { place, url, ask } = await startService();
      writeFileSync(join(place, 'client.py'), program(url));
      return JSON.parse(ask(`${python} client.py "$TOKEN"`)) as { urls: object; metadata: object };
    }

    it('shows one that returns the result', async ({ skip }) => {
      if (python === undefined) return skip('no Python with httpx here');
      const [client = ''] = blocks('serve', 'python');
      const { urls } = await runPython((url) =>
        [
          ...['import json', 'import sys', client],
          `print(json.dumps(render("photos/umang.jpg", sys.argv[1], "holidays", "${url}")))`,
        ].join('\n'),
      );
      expect(shape(urls)).toEqual(shape(JSON.parse(result).urls));
    });

    it('promises that those of other services work without changes', async ({ skip }) => {
      if (python === undefined) return skip('no Python with httpx here');
      const client = readFileSync(join(ROOT, 'test/http/seeds/client.py'), 'utf8');
      const { urls, metadata } = await runPython((url) =>
        [
          ...['import asyncio', 'import json', 'import sys', client],
          ...[
            'async def main():',
            `  processor = ImageProcessorClient(base_url="${url}", jwt_token=sys.argv[1])`,
          ],
          '  image_bytes = open("photos/umang.jpg", "rb").read()',
          '  metadata = {"activity_id": "xyz", "user_id": "abc"}',
          '  upload = await processor.upload_image(file_data=image_bytes, bucket="activity-images", metadata=metadata)',
          '  print(json.dumps(await processor.poll_until_complete(upload["job_id"])))',
          'asyncio.run(main())',
        ].join('\n'),
      );
      expect(shape(urls)).toEqual(shape(JSON.parse(result).urls));
      expect(metadata).toMatchObject({ context: { activity_id: 'xyz', user_id: 'abc' } });
    });
  });

  it('has every address of the service, and no other', async () => {
    const { ask } = await startService();
    const { paths } = JSON.parse(ask('curl http://localhost:8000/openapi.json')) as { paths: object };
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(addresses().sort()).toEqual(served.sort());
  });

  it('names every figure for Prometheus, and shows how the operator resets an owner', async () => {
    const { ask } = await startService();
    const figures = ask('curl http://localhost:5555/metrics').match(/^# TYPE imgtool_\w+/gm) ?? [];
    const served = figures.map((line) => line.slice('# TYPE '.length));
    const named = codes(prose('src/help/serve.md')).filter((code) => code.startsWith('imgtool_'));
    expect([...new Set(named)].sort()).toEqual(served.sort());
    const reset = codes(prose('src/help/serve.md')).find((code) => /^curl .*reset/.test(code)) ?? '';
    expect(ask(reset.replace('curl', 'curl -w "%{http_code}"'))).toBe('204');
  });

  it('shows a question to the audit trail that SQLite answers', async () => {
    const { place } = await startService();
    const [question = ''] = blocks('serve', 'sql');
    const store = keep(new Database(join(place, 'state/imgtool/index.serve.db'), { readonly: true }));
    const trail = keep(store.prepare(question)).all() as { type: string; owner: string }[];
    store.close();
    expect(trail.map(({ type, owner }) => `${type} ${owner}`)).toEqual([
      'upload_initiated anna',
      'processing_started anna',
      'completed anna',
    ]);
    const named = codes(prose('src/help/serve.md'));
    expect(trail.map(({ type }) => type).filter((type) => !named.includes(type))).toEqual([]);
  });

  it('shows a backup of records and images, from which another service starts', async ({ skip }) => {
    if (spawnSync('rsync', ['--version']).status !== 0) return skip('no rsync here');
    const { place, run, start: begin, stop } = await startService();
    const [backup = ''] = blocks('serve', 'bash').filter((block) => block.includes('--backup'));
    expect(run(`cd state/imgtool && ${backup}`)).toMatchObject({ status: 0, stderr: '' });
    await stop('SIGKILL');
    expect(
      run('cd state/imgtool && mv index.serve.db broken && rm -f index.serve.db-* && rm -r storage'),
    ).toMatchObject({ status: 0 });
    expect(
      run('cd state/imgtool && cp backup.serve.db index.serve.db && cp -r backup-storage storage'),
    ).toMatchObject({ status: 0 });
    const again = begin(`exec ${SERVE}`);
    await again.printed(/listening url=/);
    expect(run('imgtool list').stdout).toMatch(/\tfinished\t1\t1\t0\t/);
    expect(existsSync(join(place, 'state/imgtool/storage/holidays'))).toBe(true);
  });

  it('names every event of the log', () => {
    const sources = ['src/serve/events.ts', 'src/report/serve.ts'].map((path) =>
      readFileSync(join(ROOT, path), 'utf8'),
    );
    const types = [...sources.join('\n').matchAll(/readonly type: '([\w.]+)'/g)].map(([, type = '']) => type);
    expect(types.length).toBeGreaterThan(12);
    const named = codes(prose('src/help/serve.md'));
    expect(types.filter((type) => !named.includes(type))).toEqual([]);
  });

  it('names only variables that are settings', () => {
    const known = KEYS.map(envName);
    const named = page('serve').match(/\bIMGTOOL_\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('has a row for each setting of the services that it stands in for', () => {
    const there = rows('serve', 'From other services').flatMap(([cell = '']) => codes(cell));
    const settings = [
      ...['SERVICE_NAME', 'VERSION', 'DATABASE_PATH', 'STORAGE_BACKEND', 'STORAGE_PATH', 'AWS_REGION'],
      ...[
        'REDIS_URL',
        'JWT_SECRET_KEY',
        'JWT_ALGORITHM',
        'RATE_LIMIT_MAX_UPLOADS',
        'RATE_LIMIT_WINDOW_MINUTES',
      ],
      ...['MAX_UPLOAD_SIZE_MB', 'ALLOWED_MIME_TYPES', 'WEBP_QUALITY', 'IMAGE_SIZES'],
    ];
    expect(settings.filter((name) => !there.includes(name))).toEqual([]);
  });
});

/** Methods and paths of the table of addresses, without those of the operator's own listener. */
function addresses(): string[] {
  return rows('serve', 'Addresses')
    .flatMap(([cell = '']) => {
      let [method, base] = ['', ''];
      return codes(cell).map((code) => {
        const [, verb, path = ''] = /^(?:(GET|POST|DELETE) )?([^?]*)/.exec(code) ?? [];
        method = verb ?? method;
        if (path.startsWith('…')) return `${method} ${base.slice(0, base.lastIndexOf('/'))}${path.slice(1)}`;
        base = path;
        return `${method} ${path}`;
      });
    })
    .filter((one) => one !== ' ');
}
