import type { Batch, Event } from '../../model.ts';

/** What the events of a batch add up to: all there is to tell of it when its index fails. */
export interface Told {
  readonly emit: (event: Event) => void;
  sofar(): Pick<Batch, 'counts' | 'passedOver' | 'bytesIn' | 'bytesOut'>;
}

export function openTold(emit: (event: Event) => void): Told {
  const ended = { completed: 0, duplicate: 0, unchanged: 0, failed: 0, cancelled: 0 };
  let [total, passedOver, bytesIn, bytesOut] = [0, 0, 0, 0];
  return {
    emit(event) {
      if (event.type === 'job') {
        ended[event.state]++;
        if (event.outputs !== undefined) bytesIn += event.bytes ?? 0;
        const own = event.borrowed ? [] : (event.outputs ?? []);
        for (const { bytes } of own) bytesOut += bytes;
      } else if (event.type === 'passed_over') passedOver++;
      else if (event.type === 'batch.started' || event.type === 'total') total = event.total ?? total;
      else if (event.type === 'walk') total = Math.max(total, event.found);
      else if (event.type === 'withdrawn') total--;
      emit(event);
    },
    sofar() {
      const done = Object.values(ended).reduce((sum, n) => sum + n, 0);
      const counts = { pending: Math.max(0, total - done), processing: 0, retrying: 0, ...ended };
      return { counts, passedOver, bytesIn, bytesOut };
    },
  };
}
