import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asImgtoolError, type ErrorCode, ImgtoolError } from '../errors.ts';
import type { WordHint } from '../model/failures.ts';

/** The status of each error. All others are 500. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  not_ready: 409,
  upload_too_large: 413,
  unsupported_media_type: 415,
  not_an_image: 415,
  unsupported_format: 415,
  invalid_request: 422,
  key_reused: 422,
  scan_refused: 422,
  rate_limited: 429,
  unavailable: 503,
  no_space: 503,
  not_writable: 503,
  io: 503,
  index_unusable: 503,
  index_newer: 503,
  storage_unusable: 503,
};

/** The codes of errors of fastify, by their status. */
const OF_FASTIFY: Readonly<Record<number, ErrorCode>> = {
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'upload_too_large',
  415: 'unsupported_media_type',
  503: 'unavailable',
};

/** Seconds after which a client may ask again, where nothing else is known. */
const RETRY_AFTER: Readonly<Record<number, number>> = { 409: 1, 429: 60, 503: 5 };

export const PROBLEM_TYPE = 'application/problem+json';

interface More {
  readonly fix?: string | undefined;
  readonly cause?: unknown;
  /** Is for the log alone. */
  readonly reason?: string;
  /** Replaces the status of the code. */
  readonly status?: number;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether an image has failed, and not the request that asks for it. */
  readonly ofImage?: boolean;
}

/** An error of a request, with what its answer says beside code and message. */
export class Refusal extends ImgtoolError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string | null;
  readonly ofImage: boolean;

  constructor(code: ErrorCode, message: string, more: More = {}) {
    super(code, message, more);
    this.reason = more.reason ?? null;
    this.ofImage = more.ofImage ?? false;
    this.status = more.status ?? STATUSES[code] ?? 500;
    const seconds = more.retryAfter ?? RETRY_AFTER[this.status];
    this.headers = { ...(seconds === undefined ? {} : { 'retry-after': `${seconds}` }), ...more.headers };
  }
}

/** The error for what is not there, or belongs to somebody else: the answer is the same. */
export function notFound(): Refusal {
  return new Refusal('not_found', 'there is nothing at this address');
}

/** Any error as the error of a request. An unexpected one shows nothing of itself. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof ImgtoolError) return refusalOf(error);
  if (!(error instanceof Error) || !isOfFastify(error)) return refusalOf(asImgtoolError(error));
  // An id that cannot exist is answered like one that does not exist.
  if (error.validationContext === 'params') return notFound();
  if (error.validation !== undefined) return new Refusal('invalid_request', error.message);
  const { statusCode: status = 500, message, cause } = error;
  if (status >= 500 && status !== 503) return refusalOf(asImgtoolError(error));
  return new Refusal(OF_FASTIFY[status] ?? 'bad_request', message, { status, cause });
}

/** What clients learn of an error of the machine: its message can have paths. */
const HIDDEN: Readonly<Record<number, string>> = {
  500: 'an error in imgtool itself; its log says more',
  503: 'the service cannot work at the moment; its log says more',
};

function refusalOf({ code, message, fix, cause }: ImgtoolError): Refusal {
  const hidden = HIDDEN[STATUSES[code] ?? 500];
  return new Refusal(code, hidden ?? message, { fix: hidden === undefined ? fix : undefined, cause });
}

function isOfFastify(error: Error): error is FastifyError {
  return 'statusCode' in error || 'validation' in error;
}

/** The body of the answer, as RFC 9457 describes it. */
export function problemBody({ status, message, code, fix }: Refusal, wordHint: WordHint): string {
  return JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    ...(fix === undefined ? {} : { fix: wordHint(fix) }),
  });
}

function sendProblem(reply: FastifyReply, refusal: Refusal, wordHint: WordHint): FastifyReply {
  return reply
    .code(refusal.status)
    .headers(refusal.headers)
    .type(PROBLEM_TYPE)
    .send(problemBody(refusal, wordHint));
}

/** Answers all errors of a server with problems. `report` is given each. */
export function answerProblems(
  app: FastifyInstance,
  wordHint: WordHint,
  report: (request: FastifyRequest, refusal: Refusal, error: unknown) => void,
): void {
  const known: { readonly method: string; readonly pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/:\w+/g, '[^/]+').replace('*', '.*')}$`);
    for (const one of [method].flat()) known.push({ method: one, pattern });
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = asRefusal(error);
    report(request, refusal, error);
    return sendProblem(reply, refusal, wordHint);
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const allowed = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (allowed.length === 0) return sendProblem(reply, notFound(), wordHint);
    const headers = { allow: [...new Set(allowed)].join(', ') };
    const message = `this address does not have the method ${request.method}`;
    const refusal = new Refusal('method_not_allowed', message, { headers });
    report(request, refusal, refusal);
    return sendProblem(reply, refusal, wordHint);
  });
}
