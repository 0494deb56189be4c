/** The vocabulary of the program as types. The list of job states is the only value. */

export type * from './model/events.ts';
export type * from './model/images.ts';
export * from './model/jobs.ts';
export type * from './model/options.ts';
export type * from './model/picture.ts';
export type * from './model/profile.ts';
export type * from './model/records.ts';
export type { SourceFormat } from './model/sources.ts';
export type { Variant } from './variants/fields.ts';
export type { Preset } from './variants/presets.ts';
