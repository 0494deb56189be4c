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
  const print = (text: string) => {
    stream.write(text);
    shown = text;
  };
  const printJson = (document: object) => print(jsonPage(document));
  const printText = async (draw: () => string) => print(await measured(draw));

  return {
    async status(batch, jobs, all) {
      const text = json
        ? jsonPage(statusJson(batch, jobs))
        : await measured(() => statusText(batch, jobs, style, Date.now(), all ? jobs : undefined));
      if (text === shown) return;
      if (shown !== '' && style.tty && !json) {
        const { clearScreenDown, moveCursor } = await import('node:readline');
        moveCursor(stream, 0, -(shown.split('\n').length - 1));
        clearScreenDown(stream);
      }
      print(text);
    },
    async cancelled(batch, was) {
      if (json) return printJson(statusJson(batch, []));
      await printText(() => cancelledText(batch, was, style));
    },
    async nothingLeft(batch, how) {
      if (json) return printJson(statusJson(batch, []));
      await printText(() => nothingLeftText(batch, how, style));
    },
    async list(batches, limit) {
      if (json) return printJson(listJson(batches));
      await printText(() => listText(batches, style, Date.now(), limit));
    },
    async verified(verified) {
      const { verifyJson, verifyText } = await import('./verify.ts');
      if (json) return printJson(verifyJson(verified));
      await printText(() => verifyText(verified, style));
    },
    async presets(presets) {
      if (json) return printJson(presetsJson(presets));
      await printText(() => presetsText(presets, style));
    },
    async checks(checks) {
      if (json) return printJson(doctorJson(checks));
      await printText(() => doctorText(checks, style));
    },
    async repaired(repair) {
      if (json) return printJson({ v: 1, repair });
      await printText(() => repairedText(repair, style));
    },
    async backedUp(backup) {
      if (json) return printJson({ v: 1, backup });
      await printText(() => backupText(backup, style));
    },
    async config(entries) {
      if (json) return printJson(configJson(entries));
      await printText(() => configText(entries, style));
    },
  };
}

function jsonPage(document: object): string {
  return `${oneLine(document)}\n`;
}
