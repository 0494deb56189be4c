// Runs in a process of its own: a service that dies before a child opens an image, or before it commits or records the
// outputs.
import { createEngine } from '../../src/engine.ts';
import { openService } from '../../src/serve/open.ts';
import { serviceOptions } from './service.ts';

const [store = '', storage = '', step = ''] = process.argv.slice(2);
const engine = createEngine({
  ...{ index: `${store}.none`, isUsualIndex: true, jobs: 2 },
  ...{ nearest: () => undefined, nearPath: () => undefined, wordHint: (hint: string) => hint },
});
const service = await openService({ ...serviceOptions(), engine, store, storage });
const die = () => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => {});
};
if (step === 'open') service.store.begin = die;
else if (step === 'commit') service.objects.commit = die;
else service.store.settle = die;
