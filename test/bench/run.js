import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Processes in work. Each leads a group of its own, so that an interrupt ends all that it started. */
const running = new Set();

/** Calls with a folder that is gone afterwards, after Ctrl-C too. */
export async function inFolder(use) {
  const place = mkdtempSync(join(tmpdir(), 'imgtool-bench-'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const clear = () => {
    for (const { pid } of running) killGroup(pid);
    // What was killed may be writing a moment longer.
    rmSync(place, { recursive: true, force: true, maxRetries: 10 });
  };
  const end = (signal) => {
    clear();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  for (const signal of signals) process.once(signal, end);
  try {
    return await use(place);
  } finally {
    clear();
    for (const signal of signals) process.off(signal, end);
  }
}

/**
 * Runs a command to its end; standard input may be a descriptor. Resolves with wall-clock milliseconds and what it
 * said on standard output, where that is asked for. Errors: when it fails, with its last words.
 */
export function run(command, args, { env = {}, stdin = 'ignore', capture = false } = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let ms = 0;
    const child = spawn(command, args, {
      detached: true,
      env: { ...process.env, ...env },
      stdio: [stdin, capture ? 'pipe' : 'ignore', 'pipe'],
    });
    running.add(child);
    const [said, words] = [[], []];
    child.stdout?.on('data', (bytes) => said.push(bytes));
    child.stderr.on('data', (bytes) => words.push(bytes));
    child.on('error', reject);
    child.on('exit', () => {
      ms = performance.now() - started;
      running.delete(child);
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve({ ms, stdout: Buffer.concat(said).toString() });
      const tail = Buffer.concat(words).toString().slice(-2000);
      reject(new Error(`${[command, ...args].join(' ').slice(0, 500)}: ${code ?? signal}\n${tail}`));
    });
  });
}

/**
 * Starts a program that runs until it is stopped. Resolves once it says what matches `ready`, on either stream. Errors: when
 * it ends before, with its last words.
 */
export function start(command, args, { env = {}, ready }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let words = '';
    let isReady = false;
    const hear = (bytes) => {
      words = (words + bytes).slice(-2000);
      const said = isReady ? null : ready.exec(words);
      if (said === null) return;
      isReady = true;
      resolve({ said, pid: child.pid, stop });
    };
    const ended = new Promise((end) => child.on('close', end));
    const stop = () => {
      process.kill(-child.pid, 'SIGTERM');
      return ended;
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', reject);
    ended.then((code) => {
      running.delete(child);
      reject(new Error(`${[command, ...args].join(' ').slice(0, 500)}: ${code}\n${words}`));
    });
  });
}

/** What a command says of its version: the first line of it that matches, or null where it cannot be started. */
export async function ask(command, args, pattern) {
  try {
    const { stdout } = await run(command, args, { capture: true });
    return pattern.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Progress. */
export function tell(text) {
  process.stderr.write(`${text}\n`);
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
