import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServeEvent } from '../serve/events.ts';
import type { Site } from './options.ts';

/** Gauges of prom-client with the names of counters, which the linter of Prometheus refuses. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

const REQUEST_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30];
const STEP_SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 120];

/** Figures for Prometheus. No label is an owner, a bucket or an id: their number has no limit. */
export function createMetrics() {
  const register = new Registry();
  collectDefaultMetrics({ register });
  for (const name of MISNAMED) register.removeSingleMetric(name);
  const registers = [register];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `imgtool_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `imgtool_${name}`, help, buckets, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name: `imgtool_${name}`, help, registers },
      collect() {
        this.set(read());
      },
    });

  const requests = histogram(
    ...(['http_request_seconds', 'Time of requests until the end of the answer.', REQUEST_SECONDS] as const),
    ...(['method', 'route', 'status'] as const),
  );
  const accepted = counter('images_accepted_total', 'Images that were accepted.');
  const acceptedBytes = counter('upload_bytes_total', 'Bytes of accepted images.');
  const refused = counter('uploads_refused_total', 'Requests and files that were refused, by code.', 'code');
  const ended = counter('images_ended_total', 'Images that ended, by state.', 'state');
  const failures = counter('image_failures_total', 'Failed images, by code.', 'code');
  const retries = counter('image_retries_total', 'Attempts that failed and are repeated, by code.', 'code');
  const outputBytes = counter('output_bytes_total', 'Bytes of stored outputs.');
  const steps = histogram('image_step_seconds', 'Time of the steps of an image.', STEP_SECONDS, 'step');

  return {
    /** Counts an event. Never throws. */
    hear(event: ServeEvent): void {
      if (event.type === 'upload.accepted') {
        accepted.inc(event.images);
        acceptedBytes.inc(event.bytes);
        for (const code of event.codes) refused.inc({ code });
      } else if (event.type === 'request.refused') {
        if (event.isUpload) refused.inc({ code: event.code });
      } else if (event.type === 'image.retrying') {
        retries.inc({ code: event.error.code });
      } else if (event.type === 'image.cancelled') {
        ended.inc({ state: 'cancelled' });
      } else if (event.type === 'image.ended') {
        ended.inc({ state: event.state });
        outputBytes.inc(event.outputBytes);
        if (event.error !== null) failures.inc({ code: event.error.code });
        for (const [step, ms] of Object.entries(event.ms ?? {})) steps.observe({ step }, ms / 1000);
      }
    },
    /** Measures the requests of a server, by the patterns of their addresses. */
    watch(app: FastifyInstance): void {
      app.addHook('onResponse', (request, reply, done) => {
        const route = request.routeOptions.url ?? 'unknown';
        const labels = { method: request.method, route, status: String(reply.statusCode) };
        requests.observe(labels, reply.elapsedTime / 1000);
        done();
      });
    },
    /** Adds figures that are read at each question. */
    describe(site: Site): void {
      const { service } = site;
      gauge('images_in_work', 'Images in work.', service.worker.busy);
      gauge('uploads_open', 'Requests with uploads at this moment.', () => site.openUploads);
      gauge('images_most_in_work', 'Images that can be rendered at the same time.', () => site.options.jobs);
      new Gauge({
        ...{ name: 'imgtool_images', help: 'Images by state.', labelNames: ['state'], registers },
        async collect() {
          const stats = await service.store.stats();
          for (const [state, images] of Object.entries(stats.states)) this.set({ state }, images);
        },
      });
    },
    contentType: register.contentType,
    text: () => register.metrics(),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
