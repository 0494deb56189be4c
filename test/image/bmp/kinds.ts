import type { Kind } from './bmp-writer.ts';

/** Kinds of BMP files by name. */
export const KINDS: Readonly<Record<string, Kind>> = {
  '1 bit': { bits: 1 },
  '2 bits': { bits: 2 },
  '4 bits': { bits: 4 },
  '8 bits': { bits: 8 },
  '8 bits with a palette of 100 colours': { bits: 8, colours: 100 },
  '8 bits, the highest row first': { bits: 8, topDown: true },
  '16 bits': { bits: 16 },
  '16 bits with fields of 5, 6 and 5 bits': { bits: 16, fields: [0xf800, 0x7e0, 0x1f] },
  '16 bits with fields of 4 bits and alpha': { bits: 16, header: 108, fields: [0xf00, 0xf0, 0xf, 0xf000] },
  '24 bits': { bits: 24 },
  '24 bits, the highest row first': { bits: 24, topDown: true },
  '32 bits': { bits: 32 },
  '32 bits with alpha': { bits: 32, alpha: true },
  '32 bits with red first': { bits: 32, fields: [0xff, 0xff00, 0xff0000] },
  '32 bits with fields of 10 bits': { bits: 32, header: 52, fields: [0x3ff00000, 0xffc00, 0x3ff] },
  '32 bits with alpha and a header of 108 bytes': {
    ...{ bits: 32, header: 108, fields: [0xff0000, 0xff00, 0xff, 0xff000000] },
  },
  '32 bits with alpha and a header of 124 bytes': {
    ...{ bits: 32, header: 124, topDown: true, fields: [0xff000000, 0xff0000, 0xff00, 0xff] },
  },
  '32 bits with alpha and a header of 56 bytes': {
    ...{ bits: 32, header: 56, fields: [0xff0000, 0xff00, 0xff, 0xff000000] },
  },
  '32 bits with fields of alpha behind the header': {
    ...{ bits: 32, fields: [0xff0000, 0xff00, 0xff, 0xff000000] },
  },
  '4 bits in runs': { bits: 4, runs: true },
  '8 bits in runs': { bits: 8, runs: true },
  '8 bits of OS/2 1': { bits: 8, header: 12 },
  '24 bits of OS/2 1': { bits: 24, header: 12 },
  '8 bits of OS/2 2': { bits: 8, header: 64 },
  '4 bits with a short header of OS/2 2': { bits: 4, header: 16 },
};
