// Loaded into the binary's children before anything else: all but the first so many pictures wait to be opened.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';

const { TEST_GATE: gate = '', TEST_GATE_FREE: free = '0', TEST_GATE_FOLDER: folder = '' } = process.env;
/** Milliseconds between two looks. */
const LOOK = 20;

// The parent is not held: it takes signals and answers as ever.
if (process.connected) {
  const { open } = files;
  files.open = async (path, ...rest) => {
    if (String(path).startsWith(folder)) await pass();
    return open(path, ...rest);
  };
  syncBuiltinESMExports();
}

async function pass() {
  for (let n = 0; n < Number(free); n++) if (isFirst(`free-${n}`)) return;
  for (let n = readdirSync(gate).length; !isFirst(`held-${n}`); n++);
  while (!existsSync(join(gate, 'open'))) await passes(LOOK);
}

/** Whether nobody else has taken this. */
function isFirst(name) {
  try {
    mkdirSync(join(gate, name));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}
