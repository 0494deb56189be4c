import type { Backup, Check, Repaired } from '../model/mended.ts';
import type { Verified } from '../model/verified.ts';
import type { Batch, JobRecord, Style } from '../model.ts';
import { backupText, doctorJson, doctorText, repairedText } from './doctor.ts';
import { listJson, oneLine, statusJson } from './json.ts';
import { listText } from './list.ts';
import { cancelledText, nothingLeftText } from './messages.ts';
import {
  type ConfigEntry,
  configJson,
  configText,
  type PresetEntry,
  presetsJson,
  presetsText,
} from './settings.ts';
import { statusText } from './status.ts';
import { measured } from './text.ts';

interface PagesOptions {
  readonly stream: NodeJS.WritableStream;
  readonly style: Style;
  /** Prints JSON instead of text. */
  readonly json: boolean;
}

/** The answers of commands, each printed as text or as one JSON document. */
export interface Pages {
  /** A second call replaces the text of the first one on a terminal; elsewhere it prints a text that has changed. */
  status(batch: Batch, jobs: readonly JobRecord[], all: boolean): Promise<void>;
  /** A batch that was to be cancelled. `was`: its state before. */
  cancelled(batch: Batch, was: 'running' | 'interrupted' | 'ended'): Promise<void>;
  /** A batch that has nothing to resume or retry. */
  nothingLeft(batch: Batch, how: 'resume' | 'retry'): Promise<void>;
  list(batches: readonly Batch[], limit: number): Promise<void>;
  verified(verified: Verified): Promise<void>;
  presets(presets: readonly PresetEntry[]): Promise<void>;
  checks(checks: readonly Check[]): Promise<void>;
  repaired(repair: Repaired): Promise<void>;
  backedUp(backup: Backup): Promise<void>;
  config(entries: readonly ConfigEntry[]): Promise<void>;
}

export function openPages({ stream, style, json }: PagesOptions): Pages {
  let shown = '';

  async function pageOf(document: object, text: () => string): Promise<string> {
    return json ? `${oneLine(document)}\n` : measured(text);
  }

  async function show(document: object, text: () => string): Promise<void> {
    stream.write(await pageOf(document, text));
  }

  return {
    async status(batch, jobs, all) {
      const every = all ? jobs : undefined;
      const page = await pageOf(statusJson(batch, jobs), () => {
        return statusText(batch, jobs, style, Date.now(), every);
      });
      if (page === shown) return;
      if (shown !== '' && style.tty && !json) {
        const { clearScreenDown, moveCursor } = await import('node:readline');
        moveCursor(stream, 0, -(shown.split('\n').length - 1));
        clearScreenDown(stream);
      }
      stream.write(page);
      shown = page;
    },
    async verified(verified) {
      const { verifyJson, verifyText } = await import('./verify.ts');
      await show(verifyJson(verified), () => verifyText(verified, style));
    },
    cancelled: (batch, was) => show(statusJson(batch, []), () => cancelledText(batch, was, style)),
    nothingLeft: (batch, how) => show(statusJson(batch, []), () => nothingLeftText(batch, how, style)),
    list: (batches, limit) => show(listJson(batches), () => listText(batches, style, Date.now(), limit)),
    presets: (presets) => show(presetsJson(presets), () => presetsText(presets, style)),
    checks: (checks) => show(doctorJson(checks), () => doctorText(checks, style)),
    repaired: (repair) => show({ v: 1, repair }, () => repairedText(repair, style)),
    backedUp: (backup) => show({ v: 1, backup }, () => backupText(backup, style)),
    config: (entries) => show(configJson(entries), () => configText(entries, style)),
  };
}
