// Loaded first into the binary and its children. Names of files and folders below TEST_NARROW may have at most
// TEST_LONGEST bytes, as on a disk with eCryptfs.
import files from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { TEST_NARROW: narrow = '', TEST_LONGEST: longest = '' } = process.env;

function isTooLong(path) {
  const text = String(path);
  if (!text.startsWith(narrow)) return false;
  return text.split('/').some((name) => Buffer.byteLength(name) > Number(longest));
}

for (const name of ['lstatSync', 'statSync', 'mkdirSync', 'openSync', 'linkSync', 'renameSync']) {
  const call = files[name];
  files[name] = (...given) => {
    if (given.slice(0, 2).every((path) => !isTooLong(path))) return call(...given);
    throw Object.assign(new Error(`ENAMETOOLONG: name too long, ${name}`), { code: 'ENAMETOOLONG' });
  };
}
syncBuiltinESMExports();
