// Loaded first into the binary. Holds the first removal of a file, without blocking, until a file `go` exists.
import { existsSync, writeFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { TEST_HOLD: folder = '' } = process.env;
const { unlink } = files;
let isFirst = true;

files.unlink = async (path, ...rest) => {
  if (isFirst) {
    isFirst = false;
    writeFileSync(join(folder, 'held'), '');
    while (!existsSync(join(folder, 'go'))) await sleep(20);
  }
  await unlink(path, ...rest);
};
syncBuiltinESMExports();
