import { ImgtoolError } from '../../errors.ts';
import type { CodePoints } from '../av1.ts';
import type { Library } from './library.ts';

/** `heif_colorspace_RGB`. */
const RGB = 1;
/** The interleaved values of `heif_chroma`, by the bytes of a sample and by whether there is alpha. */
const CHROMA = { 1: { rgb: 10, rgba: 11 }, 2: { rgb: 14, rgba: 15 } } as const;
/** `heif_channel_interleaved`. */
const INTERLEAVED = 10;

/** Position of `strict_decoding` in `heif_decoding_options`. */
const STRICT_AT = 21;
/** The first version of `heif_decoding_options` that has this field. */
const STRICT_SINCE = 3;

/**
 * Reads the structure of a file; decodes no pixels. libheif applies rotation, mirroring and cropping. Errors: an `Error`
 * with libheif's message. It must not be called a second time with the same library.
 */
export function openPrimary({ heif, isStarved, isShort }: Library, bytes: Buffer) {
  const address = allocated(heif._malloc(bytes.length));
  heif.HEAPU8.set(bytes, address);
  // An error has a code, a detail and the address of a message; each has 4 bytes. A result has 4 bytes.
  const [error, result] = [allocated(heif._malloc(12)), allocated(heif._malloc(4))];
  const resultOf = (call: () => void): number => {
    call();
    if (heif.HEAPU32[error / 4] !== 0) throw failure(messageAt(heif.HEAPU32[error / 4 + 2]));
    return heif.HEAPU32[result / 4];
  };
  const failure = (message: string): Error => {
    // Without a call of ours, libheif refuses a block that is larger than its memory can ever be.
    const isImpossible = /memory allocation/i.test(message) && !/security limit/i.test(message);
    if (isShort() || (!isStarved() && !isImpossible)) return new Error(`heif: ${message}`);
    return new Error('heif: the pixels need more memory than a picture of the stated size');
  };
  const messageAt = (at: number): string => {
    const text = heif.HEAPU8.subarray(at, heif.HEAPU8.indexOf(0, at));
    return Buffer.from(text).toString('utf8');
  };
  const context = heif._heif_context_alloc();
  resultOf(() => heif._heif_context_read_from_memory_without_copy(error, context, address, bytes.length, 0));
  const handle = resultOf(() => heif._heif_context_get_primary_image_handle(error, context, result));
  const [width, height] = [
    heif._heif_image_handle_get_width(handle),
    heif._heif_image_handle_get_height(handle),
  ];
  const bits = heif._heif_image_handle_get_luma_bits_per_pixel(handle);
  const alpha = heif._heif_image_handle_has_alpha_channel(handle) !== 0;
  const sampleBytes = bits > 8 ? 2 : 1;
  return {
    width,
    height,
    bits,
    alpha,
    premultiplied: heif._heif_image_handle_is_premultiplied_alpha(handle) !== 0,
    /** The ICC profile; empty without one. */
    profile: profile(),
    codePoints: codePoints(),
    /** Decodes into `out`: RGB or RGBA, 8 bits or 16 in this machine's byte order. `strict` refuses damage. */
    decode(out: Buffer, strict: boolean): void {
      const options = heif._heif_decoding_options_alloc();
      if (heif.HEAPU8[options] >= STRICT_SINCE) heif.HEAPU8[options + STRICT_AT] = strict ? 1 : 0;
      const chroma = CHROMA[sampleBytes][alpha ? 'rgba' : 'rgb'];
      const image = resultOf(() => heif._heif_decode_image(error, handle, result, RGB, chroma, options));
      const rows = [
        heif._heif_image_get_width(image, INTERLEAVED),
        heif._heif_image_get_height(image, INTERLEAVED),
      ];
      if (rows[0] !== width || rows[1] !== height)
        throw failure('the pixels have another size than the picture');
      const plane = heif._heif_image_get_plane_readonly2(image, INTERLEAVED, result);
      const stride = heif.HEAPU32[result / 4];
      const row = width * (alpha ? 4 : 3) * sampleBytes;
      for (let y = 0; y < height; y++) {
        out.set(heif.HEAPU8.subarray(plane + y * stride, plane + y * stride + row), y * row);
      }
      if (bits > 8) stretch(new Uint16Array(out.buffer, out.byteOffset, out.length / 2), bits);
    },
  };

  function profile(): Buffer {
    const length = heif._heif_image_handle_get_raw_color_profile_size(handle);
    if (length === 0) return Buffer.alloc(0);
    const at = allocated(heif._malloc(length));
    heif._heif_image_handle_get_raw_color_profile(error, handle, at);
    return Buffer.from(heif.HEAPU8.subarray(at, at + length));
  }

  /**
   * Reads `heif_color_profile_nclx`: a version, then primaries and transfer with 4 bytes each. Returns null if the file
   * has no code points.
   */
  function codePoints(): CodePoints | null {
    heif._heif_image_handle_get_nclx_color_profile(error, handle, result);
    if (heif.HEAPU32[error / 4] !== 0) return null;
    const at = heif.HEAPU32[result / 4] / 4;
    return { primaries: heif.HEAPU32[at + 1], transfer: heif.HEAPU32[at + 2] };
  }
}

function allocated(address: number): number {
  if (address !== 0) return address;
  throw new ImgtoolError('out_of_memory', 'there was not enough memory for it');
}

/** Scales samples of fewer than 16 bits to 16 bits, in place. */
function stretch(samples: Uint16Array, bits: number): void {
  const scale = 65_535 / (2 ** bits - 1);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round(samples[i]! * scale);
}
