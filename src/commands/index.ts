import { configVerb, presetsVerb } from './config.ts';
import { doctorVerb } from './doctor.ts';
import { forgetVerb } from './forget.ts';
import { helpVerb } from './help.ts';
import { listVerb } from './list.ts';
import { processVerb } from './process.ts';
import { cancelVerb, resumeVerb, retryVerb } from './resume.ts';
import { serveVerb } from './serve.ts';
import { statusVerb } from './status.ts';
import { tokenVerb } from './token.ts';
import type { Verb } from './verb.ts';
import { verifyVerb } from './verify.ts';
import { watchVerb } from './watch.ts';

/** All verbs by their names, in the order of the help. */
export const VERBS: Readonly<Record<string, Verb>> = {
  process: processVerb,
  watch: watchVerb,
  serve: serveVerb,
  token: tokenVerb,
  status: statusVerb,
  list: listVerb,
  cancel: cancelVerb,
  resume: resumeVerb,
  retry: retryVerb,
  verify: verifyVerb,
  forget: forgetVerb,
  presets: presetsVerb,
  doctor: doctorVerb,
  config: configVerb,
  help: helpVerb,
};
