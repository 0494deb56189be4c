import { type Scalar, scalar } from '../variants/values.ts';
import { durationType } from './quantities.ts';

const ADDRESS = '^(?:\\[([\\da-fA-F:.]+)\\]|([^\\s:/\\[\\]]+)):(\\d{1,5})$';
const LAST_PORT = 65_535;

/** Host and port of an address that `addressType` has read. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain = '', port] = new RegExp(ADDRESS).exec(address) ?? [];
  return { host: inBrackets ?? plain, port: Number(port) };
}

/**
 * Bits of an IP address: 32 or 128; undefined for other text, also for 010.0.0.1, whose first number some read as 8.
 * Without `node:net`, which would cost each start 2 ms.
 */
export function addressBits(text: string): number | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text))
    return text.split('.').every((byte) => Number(byte) < 256 && `${Number(byte)}` === byte) ? 32 : undefined;
  return text.includes(':') && URL.canParse(`http://[${text}]`) ? 128 : undefined;
}

/** Whether only programs of this machine reach the host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (addressBits(host) === 32 && host.startsWith('127.'));
}

/** A host and a port to listen on. Port 0 is any free one. */
export const addressType: Scalar<string> = scalar({
  expected: 'an address with a port, such as 127.0.0.1:8000 or [::1]:8000',
  schema: { type: 'string', pattern: ADDRESS },
  parse(raw) {
    const { host, port } = hostAndPort(typeof raw === 'string' ? raw : '');
    return typeof raw === 'string' && host !== '' && port <= LAST_PORT ? raw : undefined;
  },
});

function addressOf(raw: unknown): URL | undefined {
  const url = typeof raw === 'string' && URL.canParse(raw) ? new URL(raw) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' ? url : undefined;
}

export const urlType: Scalar<string> = scalar({
  expected: 'an address such as https://example.com/keys',
  schema: { type: 'string', pattern: '^https?://' },
  parse: (raw) => (addressOf(raw) === undefined ? undefined : String(raw)),
});

/** Reads as an address without a slash at its end: a path comes behind it. */
export const baseUrlType: Scalar<string> = scalar({
  expected: 'an address without ? and #, such as https://example.com/images',
  schema: { type: 'string', pattern: '^https?://[^?#]+$' },
  parse(raw) {
    const url = addressOf(raw);
    return url !== undefined && !/[?#]/.test(url.href) ? url.href.replace(/\/+$/, '') : undefined;
  },
});

/** Scheme, host and port, as browsers send them. */
export const originType: Scalar<string> = scalar({
  expected: 'an origin without a path, such as https://example.com',
  schema: { type: 'string', pattern: '^https?://[^/]+/?$' },
  parse(raw) {
    const url = addressOf(raw);
    return url?.pathname === '/' && url.search + url.hash === '' ? url.origin : undefined;
  },
});

/** A limit of uploads. */
export interface Rate {
  readonly uploads: number;
  /** Milliseconds. */
  readonly window: number;
}

const WINDOW = durationType('h', 1_000, 31 * 86_400_000);

function showRate(rate: Rate | null): string {
  return rate === null ? 'none' : `${rate.uploads}/${WINDOW.show?.(rate.window)}`;
}

/** A number of uploads in a time: 50/1h. Null is no limit. */
export const rateType: Scalar<Rate | null> = scalar({
  expected: 'a number and a time such as 50/1h, or none',
  words: ['none'],
  schema: { anyOf: [{ type: 'null' }, { type: 'string', pattern: '^(none|\\d+/.+)$' }] },
  show: showRate,
  toFile: showRate,
  parse(raw) {
    if (raw === 'none') return null;
    const [, uploads, time] = /^(\d{1,9})\/(.+)$/.exec(typeof raw === 'string' ? raw : '') ?? [];
    const window = WINDOW.parse(time);
    const count = Number(uploads);
    return window === undefined || count < 1 ? undefined : { uploads: count, window };
  },
});
