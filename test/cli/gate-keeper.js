// Loaded first into the binary and its children. An open below the given path waits until the test lets it through.
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';

const { TEST_GATE: gate = '', TEST_GATE_BEFORE: before = '', TEST_GATE_ENDLESS: endless } = process.env;
/** Milliseconds between two checks. */
const LOOK = 20;
/** Milliseconds. Longer waits are deadlines, which never pass here. */
const LONG = 5_000;
let held = 0;

// The parent is never held: it keeps receiving signals and commands.
if (process.connected) {
  const { open } = files;
  files.open = async (path, ...rest) => {
    if (String(path).startsWith(before)) await pass();
    return open(path, ...rest);
  };
  syncBuiltinESMExports();
} else if (endless !== undefined) {
  const { setTimeout: setReal } = globalThis;
  globalThis.setTimeout = (then, ms, ...rest) => setReal(then, ms > LONG ? 2 ** 31 - 1 : ms, ...rest);
}

async function pass() {
  if (mayPass()) return;
  mkdirSync(join(gate, `held-${process.pid}-${held++}`));
  // Opening this FIFO blocks a thread as an endless encode does: nobody writes to it, and even `process.exit` waits.
  if (endless !== undefined) await files.open(endless);
  while (!mayPass()) await passes(LOOK);
}

function mayPass() {
  return existsSync(join(gate, 'open')) || readdirSync(gate).some(isMine);
}

/** Each permit is for one open: only one process can remove its folder. */
function isMine(name) {
  if (!name.startsWith('pass-')) return false;
  try {
    rmdirSync(join(gate, name));
    return true;
  } catch {
    return false;
  }
}
