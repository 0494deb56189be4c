export { ImgtoolError } from './errors.ts';
export {
  type BatchSettings,
  type EngineSettings,
  type ImageEngine,
  openEngine,
  type ProcessOptions,
  processImages,
  type WatchSettings,
} from './library.ts';
export type { Forgotten, Verified } from './model/verified.ts';
export type {
  Batch,
  BatchFinished,
  BatchStarted,
  Counts,
  Event,
  Failure,
  JobEvent,
  JobRecord,
  JobState,
  Output,
  Timings,
  Variant,
} from './model.ts';
