import { describe, expect, it } from 'vitest';
import { exitOfError } from '../src/cli/exit.ts';
import { type ErrorCode, hasTrait, ImgtoolError } from '../src/errors.ts';

const TRAITS = ['retryable', 'fatal', 'lasting', 'unfinished', 'gone', 'undecodable'] as const;

/** The traits of codes, and the exit code of a command that ends with such an error. */
const MEANT = {
  usage: ['', 2],
  config: ['', 2],
  no_input: ['', 2],
  unknown_batch: ['', 2],
  batch_running: ['', 2],
  not_an_image: ['lasting unfinished undecodable', 1],
  unsupported_format: ['lasting undecodable', 1],
  corrupt: ['lasting unfinished undecodable', 1],
  too_large: ['lasting undecodable', 1],
  too_many_frames: ['lasting undecodable', 1],
  outside_picture: ['lasting undecodable', 1],
  out_of_memory: ['retryable undecodable', 1],
  timeout: ['undecodable', 1],
  worker_crashed: ['retryable undecodable', 1],
  source_changed: ['retryable unfinished', 1],
  source_missing: ['gone', 1],
  source_unreadable: ['unfinished', 3],
  source_outside: ['gone', 1],
  output_exists: ['', 1],
  output_is_source: ['lasting undecodable', 1],
  output_unreadable: ['unfinished', 3],
  io: ['retryable', 1],
  no_space: ['fatal', 3],
  not_writable: ['unfinished', 3],
  index_unusable: ['fatal', 3],
  index_newer: ['fatal', 3],
  port_taken: ['fatal', 3],
  address_unusable: ['fatal', 3],
  bad_request: ['', 1],
  unauthorized: ['', 1],
  forbidden: ['', 1],
  not_found: ['', 1],
  method_not_allowed: ['', 1],
  request_timeout: ['', 1],
  not_ready: ['', 1],
  upload_too_large: ['', 1],
  unsupported_media_type: ['', 1],
  invalid_request: ['', 1],
  key_reused: ['', 1],
  scan_refused: ['', 1],
  rate_limited: ['', 1],
  unavailable: ['', 1],
  cancelled: ['', 130],
  internal: ['', 1],
} as const satisfies Partial<Record<ErrorCode, readonly [traits: string, exit: number]>>;

const traitsOf = (code: string) => TRAITS.filter((trait) => hasTrait(code, trait)).join(' ');

describe('an error', () => {
  it.each(Object.entries(MEANT))('with the code %s has its traits and exit code: %j', (code, meant) => {
    const error = new ImgtoolError(code as ErrorCode, 'as asked');
    expect([traitsOf(code), exitOfError(error.code)]).toEqual(meant);
    expect([error.retryable, error.fatal]).toEqual([/retryable/.test(meant[0]), /fatal/.test(meant[0])]);
  });

  it.each(['renamed_long_ago', 'toString', ''])('with the unknown code "%s" has no trait', (code) => {
    expect(traitsOf(code)).toBe('');
  });
});
