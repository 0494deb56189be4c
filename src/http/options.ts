import type { WordHint } from '../model/failures.ts';
import type { Preset, SourceFormat } from '../model.ts';
import type { QuotaRule } from '../ports.ts';
import type { ServeContext, Worker } from '../serve/context.ts';
import type { TokenRules } from './auth.ts';

/** Where a server listens. Port 0 is any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface HttpOptions {
  readonly listen: Address;
  /** Null for no listener of the operator. */
  readonly admin: Address | null;
  /** Whether the listener of the operator needs no token: only programs of its machine reach it. */
  readonly isAdminOpen: boolean;
  /** Null for a service without tokens, for programs of this machine alone. */
  readonly tokens: TokenRules | null;
  /** Whether outputs are for the owners of images alone. */
  readonly isPrivate: boolean;
  readonly uploads: UploadRules;
  readonly presets: Presets;
  readonly corsOrigins: readonly string[];
  /** Addresses and networks of proxies that name the clients of requests. The log shows them. */
  readonly trustProxy: readonly string[];
  /** What stands before `/storage/` in answers. Null for nothing. */
  readonly publicUrl: string | null;
  readonly version: string;
  /** Images that can be in work at the same time. */
  readonly jobs: number;
  /** Puts hints of errors into words. */
  readonly wordHint: WordHint;
  /** Changes the limits of connections. Tests use it. */
  readonly limits?: Partial<ConnectionLimits>;
}

/** Which uploads are accepted. */
export interface UploadRules {
  /** Bytes of a file. */
  readonly maxUpload: number;
  readonly maxFiles: number;
  readonly accept: readonly SourceFormat[];
  readonly allowSvg: boolean;
  /** Waiting images above which uploads are refused. */
  readonly maxQueue: number;
  readonly quota: QuotaRule | null;
  /** Program and arguments that are given the path of each file. */
  readonly scan: readonly string[] | null;
}

/** All presets by which uploads can be rendered, and those of requests that name none. */
export interface Presets {
  readonly all: readonly Preset[];
  readonly ofImage: Preset;
  readonly ofBatch: Preset;
}

/** Milliseconds, bytes and numbers. */
export interface ConnectionLimits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  /** For the scans of all files of a request, once it has arrived. */
  readonly scanTimeout: number;
  /** A connection without any transfer for this time is closed. */
  readonly idleTimeout: number;
  readonly headerBytes: number;
  readonly connections: number;
  /** Requests with uploads at the same time. */
  readonly uploads: number;
  /** How long the body of a refused request is still read, so that its sender reads the answer. */
  readonly lingering: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  scanTimeout: 60_000,
  idleTimeout: 120_000,
  headerBytes: 16_384,
  connections: 2_000,
  uploads: 64,
  lingering: 1_000,
};

/** What all routes share. */
export interface Site {
  readonly service: ServeContext & { readonly worker: Worker };
  readonly options: HttpOptions;
  readonly limits: ConnectionLimits;
  /** Whether the service stops: it takes no more uploads. */
  isStopping: boolean;
  /** Requests with uploads at this moment. */
  openUploads: number;
}
