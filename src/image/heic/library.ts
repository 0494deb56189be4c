import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { MainModule } from 'libheif-js/libheif-wasm/libheif.js';
import { ImgtoolError, systemCode } from '../../errors.ts';

// The types of Node 20 do not have them.
declare namespace WebAssembly {
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  type Module = object;
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function compile(code: Uint8Array): Promise<Module>;
}

/** The functions of libheif. Structures and numbers are passed by their address in its memory. */
export interface Library {
  readonly heif: MainModule;
  /** True when the library asked for more memory than it may take. */
  isStarved(): boolean;
  /** True when the system had no memory for the library. */
  isShort(): boolean;
}

/** The command that installs the optional package. */
const INSTALL = 'npm install --include=optional libheif-js';

let compiled: Promise<WebAssembly.Module> | null = null;

/**
 * Starts libheif with memory of its own, of at most `most()` bytes. Memory of WebAssembly never shrinks; it is freed as a
 * whole when the caller drops the library. Errors: `unsupported_format` where the package is not installed.
 */
export async function openLibrary(most: () => number): Promise<Library> {
  const [start, module] = await loaded();
  let [isStarved, isShort] = [false, false];
  const instantiateWasm = (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
    const instance = new WebAssembly.Instance(module, imports);
    const memory = Object.values(instance.exports).find((each) => each instanceof WebAssembly.Memory);
    if (memory === undefined) throw new Error('libheif has no memory of its own');
    const grow = memory.grow.bind(memory);
    memory.grow = (pages) => {
      isStarved = memory.buffer.byteLength + pages * PAGE > most();
      if (isStarved) throw new RangeError('over the limit');
      try {
        return grow(pages);
      } catch (error) {
        isShort = true;
        throw error;
      }
    };
    done(instance);
    return instance.exports;
  };
  // libheif describes damage in its errors too.
  const heif = await start({ instantiateWasm, print: ignore, printErr: ignore });
  return { heif, isStarved: () => isStarved, isShort: () => isShort };
}

const PAGE = 65_536;
const ignore = (): void => {};

async function loaded() {
  try {
    const script = await import('libheif-js/libheif-wasm/libheif.js');
    compiled ??= compile();
    // Its types describe `export default`, but it sets `module.exports`.
    const start = script.default as unknown as typeof script.default.default;
    return [start, await compiled] as const;
  } catch (error) {
    compiled = null;
    if (!/^(?:ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|ENOENT)$/.test(systemCode(error) ?? '')) throw error;
    const message = 'HEIC (HEVC) is decoded by the package libheif-js, which is not installed';
    throw new ImgtoolError('unsupported_format', message, { fix: INSTALL, cause: error });
  }
}

async function compile(): Promise<WebAssembly.Module> {
  const code = await readFile(fileURLToPath(import.meta.resolve('libheif-js/libheif-wasm/libheif.wasm')));
  return await WebAssembly.compile(withLoopFilters(code));
}

/** Two calls in a row with the same function and decoder: set parameter 7 to 1, then 8 to 1. */
const DISABLED = /\x41\x07\x41\x01(\x10.{1,4}?\x20.)\x41\x08\x41\x01\x10/gs;

/**
 * Turns on the loop filters of HEVC, in place. For speed, libheif disables deblocking and SAO in WebAssembly alone
 * (plugins/decoder_libde265.cc, 1.23.2), and blocks stay visible: up to 18 of 255, against at most 1 with the filters.
 */
export function withLoopFilters(code: Buffer): Buffer {
  for (const found of code.toString('latin1').matchAll(DISABLED)) {
    code[found.index + 3] = 0;
    code[found.index + found[0].length - 2] = 0;
  }
  return code;
}
