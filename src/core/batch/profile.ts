import type { Event, PicturesSpent, ProfileEvent } from '../../model.ts';
import type { Opened, Renderer } from '../../ports.ts';
import type { Ports } from '../job/context.ts';
import { type Meter, metered, openMeter } from './meter.ts';

/** Wraps ports and listener, and times each call. Emits the sums as `profile`, just before `batch.finished`. */
export function withProfile(ports: Ports, emit: (event: Event) => void) {
  const start = performance.now();
  const loop = performance.eventLoopUtilization();
  const [index, storage, sources] = [openMeter(), openMeter(), openMeter()];
  const [report, pictures] = [openMeter(), openMeter()];
  let jobs = 0;

  const profile = (batch: string): ProfileEvent => ({
    type: 'profile',
    ...{ batch, jobs, ms: performance.now() },
    parent: {
      ...{ start, cpu: cpu(), busy: performance.eventLoopUtilization(loop).active },
      ...{ index: index.part(), storage: storage.part(), sources: sources.part(), report: report.part() },
    },
    children: ports.renderer.spent(),
    pictures: spentOn(pictures),
  });

  return {
    ports: {
      ...ports,
      index: metered(ports.index, index),
      storage: metered(ports.storage, storage),
      sources: metered(ports.sources, sources),
      renderer: { ...ports.renderer, open: opening(ports.renderer, pictures) },
    },
    emit(event: Event) {
      if (event.type === 'batch.started') jobs = event.jobs;
      if (event.type === 'batch.finished') emit(profile(event.batch));
      report.time(event.type, () => emit(event));
    },
  };
}

/** Milliseconds of CPU time of all threads since the process was started. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Collects the times that the renderer measures itself. */
function opening(renderer: Renderer, pictures: Meter): Renderer['open'] {
  return async (...asked): Promise<Opened> => {
    const opened = await renderer.open(...asked);
    pictures.add('digest', opened.ms);
    return {
      ...opened,
      async render(orders) {
        const rendered = await opened.render(orders);
        const { decode, color, ...ofOutputs } = rendered.ms;
        for (const [name, ms] of Object.entries({ decode, color })) pictures.add(name, ms);
        for (const [name, ms] of Object.entries(ofOutputs)) pictures.add(name, ms, orders.length);
        return rendered;
      },
    };
  };
}

function spentOn({ calls }: Meter): PicturesSpent {
  const [digest, decode, encode] = [calls('digest'), calls('decode'), calls('encode')];
  return { digest, decode, encode, resize: calls('resize'), write: calls('write'), color: calls('color') };
}
