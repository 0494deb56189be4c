import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = resolve(import.meta.dirname, '../..');

/** From where packages are found as they are from src. */
const MADE = join(ROOT, 'node_modules/.cache/imgtool-bench');

/** A module of src by its name, as `image/steps/encode`: what is built for users has none of these by themselves. */
export async function source(name, folder = 'src') {
  const bundle = await rolldown({
    input: { [name]: join(ROOT, folder, `${name}.ts`) },
    platform: 'node',
    external: /^[^./]/,
  });
  const { output } = await bundle.write({ dir: join(MADE, folder, name) });
  await bundle.close();
  return import(pathToFileURL(join(MADE, folder, name, output[0].fileName)).href);
}
