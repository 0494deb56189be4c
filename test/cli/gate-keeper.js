// Loaded into the binary and its children before anything else: what these open below a path waits until it is let through.
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';

const { TEST_GATE: gate = '', TEST_GATE_BEFORE: before = '', TEST_GATE_ENDLESS: endless } = process.env;
/** Milliseconds between two looks. */
const LOOK = 20;
/** Milliseconds: a longer wait is for what takes long, and never ends here. */
const LONG = 5_000;
let held = 0;

// The parent is never held: it takes signals and orders as ever.
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
  // As in an encode without end a thread is busy that `process.exit` too would wait for: nobody ever writes into this.
  if (endless !== undefined) await files.open(endless);
  while (!mayPass()) await passes(LOOK);
}

function mayPass() {
  return existsSync(join(gate, 'open')) || readdirSync(gate).some(isMine);
}

/** Each leave to pass is for one: only one can remove it. */
function isMine(name) {
  if (!name.startsWith('pass-')) return false;
  try {
    rmdirSync(join(gate, name));
    return true;
  } catch {
    return false;
  }
}
