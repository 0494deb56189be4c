import type { Event } from '../../model.ts';
import type { Ports } from './run.ts';

/** What a batch works with, and who hears of it. */
export interface Means {
  readonly ports: Ports;
  readonly emit: (event: Event) => void;
}

/** The same, where it is wanted with word of where the time went. */
export async function profiled(means: Means, isWanted: boolean): Promise<Means> {
  return isWanted ? (await import('./profile.ts')).withProfile(means) : means;
}
