import { hintForUploads } from '../model/failures.ts';
import type { ServeEvent } from '../serve/events.ts';
import { iso, pause } from './format.ts';
import { oneLine } from './json.ts';
import { facts } from './watch-plain.ts';

/** What the service says of itself at its start and its end. */
type Announcement =
  | {
      readonly type: 'listening';
      readonly url: string;
      readonly admin: string | null;
      readonly storage: string;
      readonly tokens: 'none' | 'secrets' | 'jwks' | 'secrets and jwks';
      /** Images that have not ended. */
      readonly waiting: number;
    }
  | { readonly type: 'stopping'; readonly busy: number }
  /** Null where the store can no longer be read. */
  | { readonly type: 'stopped'; readonly waiting: number | null };

export interface ServeReportOptions {
  /** Lines for people go here, and JSON there. */
  readonly stderr: NodeJS.WritableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Whether each line begins with the time. A journal adds its own. */
  readonly timestamps: boolean;
  readonly wordHint: (hint: string) => string;
}

type Reported = ServeEvent | Announcement;

/** The log of the service: a line for each event. With `quiet` only failures and warnings. */
export function createServeReport(options: ServeReportOptions): (event: Reported) => void {
  const { stderr, stdout, json, quiet, verbose, timestamps, wordHint } = options;
  return (event) => {
    const worded = withWords(event, wordHint);
    const at = iso(Date.now());
    if (json) stdout.write(`${oneLine({ v: 1, at, ...worded })}\n`);
    if (quiet ? !isTrouble(event) : !verbose && QUIET.has(event.type)) return;
    stderr.write(`${timestamps ? `${at.replace(/\.\d+Z$/, 'Z')} ` : ''}${lineOf(worded)}\n`);
  };
}

/** Events that only `verbose` shows. */
const QUIET: ReadonlySet<Reported['type']> = new Set(['image.started', 'batch.ended', 'swept']);

function isTrouble(event: Reported): boolean {
  if (event.type === 'image.ended') return event.state === 'failed';
  return event.type === 'warning' || event.type === 'paused';
}

function withWords(event: Reported, wordHint: (hint: string) => string): Reported {
  if (event.type === 'warning')
    return event.fix === undefined ? event : { ...event, fix: wordHint(event.fix) };
  if (!('error' in event) || event.error?.fix === undefined) return event;
  const { fix } = event.error;
  const isOfImage = event.type === 'image.ended' || event.type === 'image.retrying';
  return { ...event, error: { ...event.error, fix: wordHint(isOfImage ? hintForUploads(fix) : fix) } };
}

type Lines = { readonly [T in Reported['type']]: (event: Extract<Reported, { type: T }>) => string };

const pauseText = (ms: number) => pause(ms).replaceAll(' ', '');

const LINES: Lines = {
  listening: ({ url, admin, storage, tokens, waiting }) =>
    facts('listening', { url, admin: admin ?? 'none', storage, tokens, waiting }),
  stopping: ({ busy }) => facts('stopping', { busy }),
  stopped: ({ waiting }) => facts('stopped', { waiting: waiting ?? undefined }),
  'upload.accepted': ({ batch, owner, bucket, images, bytes, refused }) =>
    facts('accepted', { batch, owner, bucket, images, bytes, refused: refused || undefined }),
  'request.refused': ({ code, reason, status, method, route, owner, client }) =>
    facts('refused', {
      ...{
        code,
        reason: reason ?? undefined,
        status,
        method: method ?? undefined,
        route: route ?? undefined,
      },
      ...{ owner: owner ?? undefined, client: client ?? undefined },
    }),
  'image.started': ({ id, attempt }) => facts('started', { image: id, attempt }),
  'image.retrying': ({ id, attempt, delay, error }) =>
    facts(
      'retrying',
      { image: id, attempt, delay: pauseText(delay), error: error.code },
      { message: error.message },
    ),
  'image.given_back': ({ id }) => facts('given_back', { image: id }),
  'image.dropped': ({ id }) => facts('dropped', { image: id }),
  'image.ended': ({ id, state, owner, bucket, outputs, ms, error }) =>
    facts(
      state,
      {
        image: id,
        owner,
        bucket,
        outputs,
        ms: ms === null ? undefined : Math.round(ms.total),
        error: error?.code,
      },
      { message: error?.message, fix: error?.fix },
    ),
  'image.cancelled': ({ id, owner }) => facts('cancelled', { image: id, owner }),
  'image.deleted': ({ id, owner }) => facts('deleted', { image: id, owner }),
  'batch.ended': ({ batch }) => facts('ended', { batch }),
  recovered: ({ images }) => facts('recovered', { images }),
  paused: ({ delay, error }) =>
    facts(
      'paused',
      { delay: pauseText(delay), error: error.code },
      { message: error.message, fix: error.fix },
    ),
  swept: ({ staged, images, orphans }) => facts('swept', { staged, images, orphans }),
  warning: ({ message, fix }) => facts('warning', {}, { message, fix }),
};

function lineOf<T extends Reported['type']>(event: Extract<Reported, { type: T }>): string {
  const line: (of: Extract<Reported, { type: T }>) => string = LINES[event.type as T];
  return line(event);
}
