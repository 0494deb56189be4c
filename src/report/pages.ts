import { clearScreenDown, moveCursor } from 'node:readline';
import type { Verified } from '../model/verified.ts';
import type { Batch, JobRecord, Style } from '../model.ts';
import { type ConfigEntry, configJson, configText } from './config.ts';
import { type Check, doctorJson, doctorText } from './doctor.ts';
import { listJson, statusJson } from './documents.ts';
import { cancelledText, nothingLeftText } from './ended.ts';
import { oneLine } from './json.ts';
import { listText } from './list.ts';
import { type PresetEntry, presetsJson, presetsText } from './presets.ts';
import { statusText } from './status.ts';
import { verifyJson, verifyText } from './verify.ts';

interface PagesOptions {
  readonly stream: NodeJS.WritableStream;
  readonly style: Style;
  /** One document instead of text. */
  readonly json: boolean;
}

/** What was looked up, printed as text or as one JSON document. */
export interface Pages {
  /** Shown again it replaces itself on a terminal; elsewhere it is printed again when it changed. */
  status(batch: Batch, jobs: readonly JobRecord[], all: boolean): void;
  /** A batch that was stopped: while it ran, after its run had died, or not at all since it had ended. */
  cancelled(batch: Batch, was: 'running' | 'interrupted' | 'ended'): void;
  /** A batch of which nothing can be resumed or retried. */
  nothingLeft(batch: Batch, how: 'resume' | 'retry'): void;
  list(batches: readonly Batch[], limit: number): void;
  verified(verified: Verified): void;
  presets(presets: readonly PresetEntry[]): void;
  checks(checks: readonly Check[]): void;
  config(entries: readonly ConfigEntry[]): void;
}

export function openPages({ stream, style, json }: PagesOptions): Pages {
  let shown = '';
  const print = (text: string) => {
    stream.write(text);
    shown = text;
  };
  const either = (text: () => string, document: () => object) => (json ? `${oneLine(document())}\n` : text());

  return {
    status(batch, jobs, all) {
      const text = either(
        () => statusText(batch, jobs, style, Date.now(), all ? jobs : undefined),
        () => statusJson(batch, jobs),
      );
      if (text === shown) return;
      if (shown !== '' && style.tty && !json) {
        moveCursor(stream, 0, -(shown.split('\n').length - 1));
        clearScreenDown(stream);
      }
      print(text);
    },
    cancelled: (batch, was) =>
      print(
        either(
          () => cancelledText(batch, was, style),
          () => statusJson(batch, []),
        ),
      ),
    nothingLeft: (batch, how) =>
      print(
        either(
          () => nothingLeftText(batch, how, style),
          () => statusJson(batch, []),
        ),
      ),
    list: (batches, limit) =>
      print(
        either(
          () => listText(batches, style, Date.now(), limit),
          () => listJson(batches),
        ),
      ),
    verified: (verified) =>
      print(
        either(
          () => verifyText(verified, style),
          () => verifyJson(verified),
        ),
      ),
    presets: (presets) =>
      print(
        either(
          () => presetsText(presets, style),
          () => presetsJson(presets),
        ),
      ),
    checks: (checks) =>
      print(
        either(
          () => doctorText(checks, style),
          () => doctorJson(checks),
        ),
      ),
    config: (entries) =>
      print(
        either(
          () => configText(entries, style),
          () => configJson(entries),
        ),
      ),
  };
}
