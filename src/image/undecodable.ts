import { ImgtoolError } from '../errors.ts';

/** A format without a decoder: its common name, and a suggestion for the user. */
export type Undecodable = { readonly name: string; readonly fix: string };

export const CONVERT = 'convert it to JPEG or PNG first';
/** For JPEGs and TIFFs that need to be saved in another form. */
export const RESAVE = {
  eightBits: 'save it as an 8-bit JPEG or as PNG first',
  baseline: 'save it as a baseline JPEG or as PNG first',
  colours: 'save it as a grey or RGB JPEG or as PNG first',
  compression: 'save it with LZW or Deflate compression, or without compression',
} as const;

/** `name` is null for an unknown maker. */
export const cameraRawFormat = (name: string | null): Undecodable => ({
  name: name === null ? 'camera raw' : `${name} camera raw`,
  fix: 'develop it to JPEG or TIFF first, or use the JPEG the camera saved beside it',
});

export function undecodable({ name, fix }: Undecodable): ImgtoolError {
  return new ImgtoolError('unsupported_format', `the decoder cannot read ${name}`, { fix });
}
