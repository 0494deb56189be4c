import type { Again } from '../job/job.ts';

/** A job waiting for another that renders the same bytes, and what was learnt of them. */
export type Parked = Again['begun'];

/** Where jobs wait for bytes that another job renders, in this process or in another. */
export interface Parking {
  readonly size: number;
  park(parked: Parked): void;
  /** Those that waited for these bytes: whoever rendered them has ended. */
  leave(digest: string): Parked[];
  /** One for each bytes waited for, to ask whether another process has ended with them. */
  leaveOneOfEach(): Parked[];
  leaveAll(): Parked[];
}

export function openParking(): Parking {
  const lots = new Map<string, Parked[]>();
  let size = 0;
  const take = (digest: string, most: number): Parked[] => {
    const lot = lots.get(digest) ?? [];
    const taken = lot.splice(0, most);
    if (lot.length === 0) lots.delete(digest);
    size -= taken.length;
    return taken;
  };
  const fromEach = (most: number) => [...lots.keys()].flatMap((digest) => take(digest, most));
  return {
    get size() {
      return size;
    },
    park(parked) {
      const lot = lots.get(parked.learnt.digest);
      if (lot === undefined) lots.set(parked.learnt.digest, [parked]);
      else lot.push(parked);
      size++;
    },
    leave: (digest) => take(digest, Number.POSITIVE_INFINITY),
    leaveOneOfEach: () => fromEach(1),
    leaveAll: () => fromEach(Number.POSITIVE_INFINITY),
  };
}
