import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { sha } from '../records.ts';
import { openServing, photo, presetOf } from './serving.ts';

describe('an upload', () => {
  it('becomes outputs of the right sizes, each with its row and its bytes', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([photo('wine.jpg')], { preset: presetOf('archive') });
    serving.start();
    expect(await serving.ended(id)).toMatchObject({
      state: 'completed',
      attempt: 1,
      outputs: 4,
      error: null,
    });
    await serving.event('batch.ended');
    const image = await serving.image(id);
    const { width, height } = await sharp(photo('wine.jpg'))
      .autoOrient()
      .metadata()
      .then(({ autoOrient }) => autoOrient);
    expect(image).toMatchObject({
      state: 'completed',
      picture: { width, height, format: 'jpeg' },
      degraded: false,
    });
    expect(image.dominantColor).toMatch(/^#[\da-f]{6}$/);
    expect(image.outputs.map(({ variant }) => variant)).toEqual(['thumbnail', 'medium', 'large', 'original']);
    for (const output of image.outputs) {
      const bytes = readFileSync(join(serving.root, output.key));
      const asked = presetOf('archive').variants.find(({ name }) => name === output.variant)!;
      const { width: wide, format } = await sharp(bytes).metadata();
      expect([wide, format]).toEqual([Math.min(asked.width!, width), 'webp']);
      expect(output).toMatchObject({
        width: wide,
        bytes: bytes.length,
        checksum: sha(bytes),
        key: `photos/processed/${output.variant}/${id}_${output.variant}.webp`,
      });
    }
    expect(serving.files()).toEqual(image.outputs.map(({ key }) => key).sort());
  });
});
