import { doctorVerb } from './doctor.ts';
import { helpVerb } from './help.ts';
import { processVerb, watchVerb } from './process.ts';
import { cancelVerb, resumeVerb, retryVerb } from './resume.ts';
import { configVerb, presetsVerb } from './settings.ts';
import { listVerb, statusVerb } from './status.ts';
import type { Verb } from './verb.ts';
import { verifyVerb } from './verify.ts';

/** All verbs by their names, in the order of the help. */
export const VERBS: Readonly<Record<string, Verb>> = {
  process: processVerb,
  watch: watchVerb,
  status: statusVerb,
  list: listVerb,
  cancel: cancelVerb,
  resume: resumeVerb,
  retry: retryVerb,
  verify: verifyVerb,
  presets: presetsVerb,
  doctor: doctorVerb,
  config: configVerb,
  help: helpVerb,
};
