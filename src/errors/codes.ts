/**
 * What an error means for what comes next. `retryable`: the same attempt may succeed a moment later. `fatal`: no other
 * image could succeed either. `lasting`: the same file fails again. `unfinished`: another program may still be at work, so
 * a watch tries again within minutes. `gone`: there is no source (any more). `undecodable`: an output that fails like
 * this in `verify` can be read, but not decoded. `broken`: it is surely no picture that somebody has put there.
 */
type Trait = 'retryable' | 'fatal' | 'lasting' | 'unfinished' | 'gone' | 'undecodable' | 'broken';

/** The classes of errors, each with its traits. */
const CLASSES = {
  misuse: [],
  fatal: ['fatal'],
  lasting: ['lasting', 'undecodable'],
  unknown: ['lasting', 'undecodable', 'broken'],
  /** The picture is damaged, or is still being written. */
  incomplete: ['lasting', 'unfinished', 'undecodable', 'broken'],
  /** The machine had too little of something at that moment. */
  overload: ['retryable', 'undecodable'],
  slow: ['undecodable'],
  passing: ['retryable'],
  changing: ['retryable', 'unfinished'],
  /** Somebody must give access first. */
  denied: ['unfinished'],
  gone: ['gone'],
  /** The service says no to a request. */
  refused: [],
  other: [],
} as const satisfies Record<string, readonly Trait[]>;

/** All error codes, each with its class. */
const CODES = {
  usage: 'misuse',
  config: 'misuse',
  no_input: 'misuse',
  unknown_batch: 'misuse',
  batch_running: 'misuse',
  not_an_image: 'incomplete',
  unsupported_format: 'unknown',
  corrupt: 'incomplete',
  too_large: 'lasting',
  too_many_frames: 'lasting',
  outside_picture: 'lasting',
  out_of_memory: 'overload',
  timeout: 'slow',
  worker_crashed: 'overload',
  source_changed: 'changing',
  source_missing: 'gone',
  source_unreadable: 'denied',
  source_outside: 'gone',
  output_exists: 'other',
  output_is_source: 'lasting',
  output_unreadable: 'denied',
  io: 'passing',
  no_space: 'fatal',
  not_writable: 'denied',
  index_unusable: 'fatal',
  index_newer: 'fatal',
  storage_unusable: 'fatal',
  port_taken: 'fatal',
  address_unusable: 'fatal',
  bad_request: 'refused',
  unauthorized: 'refused',
  forbidden: 'refused',
  not_found: 'refused',
  method_not_allowed: 'refused',
  request_timeout: 'refused',
  not_ready: 'refused',
  upload_too_large: 'refused',
  unsupported_media_type: 'refused',
  invalid_request: 'refused',
  key_reused: 'refused',
  scan_refused: 'refused',
  rate_limited: 'refused',
  unavailable: 'refused',
  cancelled: 'other',
  internal: 'other',
} as const satisfies Record<string, ErrorClass>;

export type ErrorClass = keyof typeof CLASSES;
export type ErrorCode = keyof typeof CODES;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CODES, code);
}

export function classOf(code: ErrorCode): ErrorClass {
  return CODES[code];
}

/** Whether this is a known code with this trait. */
export function hasTrait(code: string, trait: Trait): boolean {
  const traits: readonly Trait[] = isErrorCode(code) ? CLASSES[CODES[code]] : [];
  return traits.includes(trait);
}
