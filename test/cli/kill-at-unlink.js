// Loaded first into the binary. Kills the process just before or after it removes a file for the nth time.
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { TEST_KILL_WHEN: when = '', TEST_KILL_AT: at = '' } = process.env;
const { unlink } = files;
let count = 0;

files.unlink = async (path, ...rest) => {
  const isNow = ++count === Number(at);
  if (isNow && when === 'before') process.kill(process.pid, 'SIGKILL');
  await unlink(path, ...rest);
  if (isNow) process.kill(process.pid, 'SIGKILL');
};
syncBuiltinESMExports();
