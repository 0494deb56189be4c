import { SOURCE_FORMATS, type SourceFormat } from '../model/sources.ts';
import { wrong } from '../variants/place.ts';
import {
  orWord,
  type Scalar,
  scalar,
  text,
  texts,
  type ValueType,
  wholeNumber,
  yesOrNo,
} from '../variants/values.ts';
import { addressBits, addressType, baseUrlType, originType, rateType, urlType } from './network.ts';
import { amountType, durationType, sizeType } from './quantities.ts';

/** A setting of the service, with the fields of every setting. */
function row<T>(flag: string, about: string, initial: T, type: ValueType<T>) {
  return { group: 'serve' as 'serve' | 'tokens', flag, about, initial, type };
}

/** A setting that is off unless it is given. */
function optional<T>(flag: string, about: string, type: Scalar<T>) {
  return row<T | null>(flag, about, null, orWord('none', type));
}

/** A setting of tokens, which `imgtool token` needs too. */
const ofTokens = (flag: string, about: string, type: Scalar<string>) =>
  ({ ...optional(flag, about, type), group: 'tokens' }) as const;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const listOf = (flag: string, about: string, type: ValueType<readonly string[]>) =>
  row<readonly string[]>(flag, about, [], type);

const isFormat = (word: string): word is SourceFormat => SOURCE_FORMATS.some((format) => format === word);

/** Formats of sources, in a list or in one text with commas. */
const formatsType: ValueType<readonly SourceFormat[]> = {
  schema: {
    anyOf: [{ type: 'string' }, { type: 'array', items: { enum: SOURCE_FORMATS } }],
  },
  show: (formats) => formats.join(','),
  read(raw, place) {
    const words = [raw].flat().flatMap((one) => (typeof one === 'string' ? one.split(/[\s,]+/) : [one]));
    const named = words.filter((word) => word !== '');
    const known = named.filter((word): word is SourceFormat => typeof word === 'string' && isFormat(word));
    const bad = named.find((word) => typeof word !== 'string' || !isFormat(word));
    if (bad === undefined && known.length > 0) return [...new Set(known)];
    throw wrong(place, `formats among ${SOURCE_FORMATS.join(', ')}`, bad ?? raw, { words: SOURCE_FORMATS });
  },
};

/** Each item of a list is read by the type of one. */
function listType(one: Scalar<string>): ValueType<readonly string[]> {
  const all = texts(one.expected);
  return { ...all, read: (raw, place) => all.read(raw, place).map((item) => one.read(item, place)) };
}

const NETWORKS = ['loopback', 'linklocal', 'uniquelocal'];

/** The address of a proxy, a network, or a word for some networks. */
const proxyType = scalar<string>({
  expected: `an address, a network such as 10.0.0.0/8, or one of ${NETWORKS.join(', ')}`,
  words: NETWORKS,
  schema: { type: 'string' },
  parse(raw) {
    if (typeof raw !== 'string') return undefined;
    const [address = '', bits, more] = raw.split('/');
    const most = addressBits(address);
    const isNetwork = bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (most ?? 0));
    return NETWORKS.includes(raw) || (most !== undefined && isNetwork && more === undefined)
      ? raw
      : undefined;
  },
});

/** The settings of the service. */
export const SERVICE = {
  listen: row('--listen <address>', 'address and port of the service', '127.0.0.1:8000', addressType),
  admin: row<string | null>(
    '--admin <address>',
    'address and port for the operator, with /metrics; none for no such address',
    '127.0.0.1:5555',
    orWord('none', addressType),
  ),
  /** A path as given. Null means a folder beside the index. */
  storage: row<string | null>('--storage <dir>', 'folder of uploads and outputs', null, {
    ...text('a folder'),
    show: (folder) => folder ?? 'beside the index',
  }),
  private: row('--private', 'give outputs only to the owner of the image, who needs a token', false, yesOrNo),
  jwtSecretFile: ofTokens(
    '--jwt-secret-file <file>',
    'secrets of tokens, one a line; all are accepted, the first one signs',
    text('a file'),
  ),
  jwks: optional('--jwks <url>', 'address of the public keys of the server that signs tokens', urlType),
  jwtIssuer: ofTokens('--jwt-issuer <text>', 'issuer that every token must have', text('an issuer')),
  jwtAudience: ofTokens('--jwt-audience <text>', 'audience that every token must have', text('an audience')),
  /** Bytes of a file. */
  maxUpload: row('--max-upload <size>', 'largest file', 10_000_000, sizeType(1_000)),
  maxFiles: row('--max-files <n>', 'most files of one request', 100, wholeNumber(1, 10_000)),
  accept: row<readonly SourceFormat[]>(
    '--accept <formats>',
    'formats of files to accept, recognised by their bytes',
    ['jpeg', 'png', 'webp'],
    formatsType,
  ),
  rateLimit: row(
    '--rate-limit <n/time>',
    'most uploads of an owner in a time; none for no limit, as without tokens',
    { uploads: 50, window: HOUR },
    rateType,
  ),
  maxQueue: row('--max-queue <n>', 'waiting images above which uploads are refused', 10_000, amountType),
  /** Milliseconds. Users write days. */
  keepFailed: row(
    '--keep-failed <days>',
    'how long the file of a failed image is kept for another attempt; 12h is half a day',
    7 * DAY,
    durationType('d', 0, 3650 * DAY),
  ),
  corsOrigin: listOf(
    '--cors-origin <origin>',
    'site whose pages may use the service, such as https://example.com; repeatable',
    listType(originType),
  ),
  trustProxy: listOf(
    '--trust-proxy <address>',
    'proxy or network whose X-Forwarded-For names the clients in the log; repeatable',
    listType(proxyType),
  ),
  publicUrl: optional('--public-url <url>', 'address to write before /storage/ in answers', baseUrlType),
  scan: optional(
    '--scan <command>',
    'program that is given the path of each upload, such as a virus scanner; exit code 1 refuses it',
    text('a command'),
  ),
};
