import type { Verified } from '../model/verified.ts';
import type { Batch, JobRecord, Style } from '../model.ts';
import type { ConfigEntry } from './config.ts';
import type { Check } from './doctor.ts';
import type { PresetEntry } from './presets.ts';

interface PagesOptions {
  readonly stream: NodeJS.WritableStream;
  readonly style: Style;
  /** One document instead of text. */
  readonly json: boolean;
}

/** What was looked up, printed as text or as one JSON document. Each is loaded when it is asked for. */
export interface Pages {
  /** Shown again it replaces itself on a terminal; elsewhere it is printed again when it changed. */
  status(batch: Batch, jobs: readonly JobRecord[], all: boolean): Promise<void>;
  /** A batch that was stopped: while it ran, after its run had died, or not at all since it had ended. */
  cancelled(batch: Batch, was: 'running' | 'interrupted' | 'ended'): Promise<void>;
  /** A batch of which nothing can be resumed or retried. */
  nothingLeft(batch: Batch, how: 'resume' | 'retry'): Promise<void>;
  list(batches: readonly Batch[], limit: number): Promise<void>;
  verified(verified: Verified): Promise<void>;
  presets(presets: readonly PresetEntry[]): Promise<void>;
  checks(checks: readonly Check[]): Promise<void>;
  config(entries: readonly ConfigEntry[]): Promise<void>;
}

export function openPages({ stream, style, json }: PagesOptions): Pages {
  let shown = '';
  const print = (text: string) => {
    stream.write(text);
    shown = text;
  };
  const printJson = async (document: object) => print(await jsonPage(document));
  const printText = async (draw: () => string) => print(await textPage(draw));

  return {
    async status(batch, jobs, all) {
      const text = json
        ? await jsonPage((await import('./documents.ts')).statusJson(batch, jobs))
        : await statusPage(batch, jobs, all, style);
      if (text === shown) return;
      if (shown !== '' && style.tty && !json) {
        const { clearScreenDown, moveCursor } = await import('node:readline');
        moveCursor(stream, 0, -(shown.split('\n').length - 1));
        clearScreenDown(stream);
      }
      print(text);
    },
    async cancelled(batch, was) {
      if (json) return printJson((await import('./documents.ts')).statusJson(batch, []));
      const { cancelledText } = await import('./ended.ts');
      await printText(() => cancelledText(batch, was, style));
    },
    async nothingLeft(batch, how) {
      if (json) return printJson((await import('./documents.ts')).statusJson(batch, []));
      const { nothingLeftText } = await import('./ended.ts');
      await printText(() => nothingLeftText(batch, how, style));
    },
    async list(batches, limit) {
      if (json) return printJson((await import('./documents.ts')).listJson(batches));
      if (!style.tty) return print((await import('./list-rows.ts')).listForPrograms(batches));
      const { listText } = await import('./list.ts');
      await printText(() => listText(batches, style, Date.now(), limit));
    },
    async verified(verified) {
      const { verifyJson, verifyText } = await import('./verify.ts');
      if (json) return printJson(verifyJson(verified));
      await printText(() => verifyText(verified, style));
    },
    async presets(presets) {
      const { presetsJson, presetsText } = await import('./presets.ts');
      if (json) return printJson(presetsJson(presets));
      await printText(() => presetsText(presets, style));
    },
    async checks(checks) {
      const { doctorJson, doctorText } = await import('./doctor.ts');
      if (json) return printJson(doctorJson(checks));
      await printText(() => doctorText(checks, style));
    },
    async config(entries) {
      const { configJson, configText } = await import('./config.ts');
      if (json) return printJson(configJson(entries));
      await printText(() => configText(entries, style));
    },
  };
}

async function statusPage(batch: Batch, jobs: readonly JobRecord[], all: boolean, style: Style) {
  const { statusText } = await import('./status.ts');
  return textPage(() => statusText(batch, jobs, style, Date.now(), all ? jobs : undefined));
}

async function textPage(draw: () => string): Promise<string> {
  return (await import('./text.ts')).measured(draw);
}

async function jsonPage(document: object): Promise<string> {
  return `${(await import('./json.ts')).oneLine(document)}\n`;
}
