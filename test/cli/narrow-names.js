// Loaded first into the binary and its children. Names of files and folders below TEST_NARROW may have at most
// TEST_LONGEST bytes, as on a disk with eCryptfs, and none of the characters TEST_REFUSED, as on a disk with FAT.
import files from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const {
  TEST_NARROW: narrow = '',
  TEST_LONGEST: longest = 'Infinity',
  TEST_REFUSED: refused = '',
} = process.env;

/** Why the disk refuses this path. */
function refusalOf(path) {
  const text = String(path);
  if (!text.startsWith(narrow)) return undefined;
  if (text.split('/').some((name) => Buffer.byteLength(name) > Number(longest))) return 'ENAMETOOLONG';
  return [...refused].some((character) => text.slice(narrow.length).includes(character))
    ? 'EINVAL'
    : undefined;
}

for (const name of ['lstatSync', 'statSync', 'mkdirSync', 'openSync', 'linkSync', 'renameSync']) {
  const call = files[name];
  files[name] = (...given) => {
    const code = given.slice(0, 2).map(refusalOf).find(Boolean);
    // Only calls that make a name are refused for a character: no such name is found.
    if (code === undefined || (code === 'EINVAL' && name.endsWith('statSync'))) return call(...given);
    throw Object.assign(new Error(`${code}: ${name}`), { code });
  };
}
syncBuiltinESMExports();
