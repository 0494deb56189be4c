import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { batchOptions, sha, variant } from '../records.ts';
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

  it('becomes outputs with the metadata that their variants ask for, and no other', async () => {
    const serving = await openServing();
    const source = await sharp(photo('wine.jpg'))
      .withExif({
        IFD0: { Artist: 'Somebody', Copyright: 'Example 2020' },
        IFD3: { GPSLatitude: '1/1 2/1 3/1' },
      })
      .toBuffer();
    const kept = variant({ name: 'kept', keep: 'copyright' });
    const preset = { name: 'test', variants: [kept, variant({ name: 'bare' })] };
    const [id = ''] = await serving.upload([source], { preset });
    serving.start();
    await serving.ended(id);
    const texts = (await serving.image(id)).outputs.map(({ key }) =>
      readFileSync(join(serving.root, key)).toString('latin1'),
    );
    expect(texts.map((text) => text.includes('Example 2020'))).toEqual([true, false]);
    expect(texts.map((text) => /GPS/.test(text))).toEqual([false, false]);
  });

  it('is accepted as far as it can be read, when limits are lenient', async () => {
    const options = batchOptions();
    const lenient = { ...options, limits: { ...options.limits, lenient: true } };
    const serving = await openServing({ options: lenient });
    const whole = photo('wine.jpg');
    const half = whole.subarray(0, whole.length / 2);
    const ids = await serving.upload([half, half]);
    serving.start();
    await Promise.all(ids.map((id) => serving.ended(id)));
    const images = await Promise.all(ids.map((id) => serving.image(id)));
    expect(images.map(({ degraded, state }) => `${state} ${degraded}`).sort()).toEqual([
      'completed true',
      'duplicate true',
    ]);
  });

  it('fails when it has more pixels than the limit, and nothing of it is decoded', async () => {
    const options = batchOptions();
    const serving = await openServing({
      options: { ...options, limits: { ...options.limits, pixels: 1_000 } },
    });
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'failed', error: { code: 'too_large' } });
  });
});
