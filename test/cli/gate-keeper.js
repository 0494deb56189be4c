// Loaded into the binary's children before anything else: what they open below a path waits until it is let through.
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';

const { TEST_GATE: gate = '', TEST_GATE_BEFORE: before = '' } = process.env;
/** Milliseconds between two looks. */
const LOOK = 20;
let held = 0;

// The parent is never held: it takes signals and orders as ever.
if (process.connected) {
  const { open } = files;
  files.open = async (path, ...rest) => {
    if (String(path).startsWith(before)) await pass();
    return open(path, ...rest);
  };
  syncBuiltinESMExports();
}

async function pass() {
  if (mayPass()) return;
  mkdirSync(join(gate, `held-${process.pid}-${held++}`));
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
