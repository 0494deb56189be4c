import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { openPlace } from './imgtool.ts';
import { ask, assertStored, type Served, sendImage, startServe, stopServe } from './serving.ts';

// The calls of the client in the documents that describe the service, against the real binary.

const PHOTO = readFileSync(new URL('../fixtures/photos/wine.jpg', import.meta.url));

/** As `poll_until_complete`: 409 means not yet. */
async function pollUntilComplete({ url }: Served, job: string) {
  for (;;) {
    const { status, headers, body } = await ask(`${url}/api/v1/images/jobs/${job}/result`);
    if (status === 200) return body;
    expect([status, body.code, headers.get('retry-after')]).toEqual([409, 'not_ready', '1']);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('an upload becomes four WebP files, which every address of the image gives, until it is deleted', async () => {
  const place = openPlace();
  const served = await startServe(place);
  const images = `${served.url}/api/v1/images`;
  const fields = { bucket: 'activity-images', metadata: '{"activity_id": "xyz", "user_id": "abc"}' };
  const { status, headers, body: upload } = await sendImage(served, PHOTO, { fields });
  expect([status, headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')]).toEqual([
    202,
    '50',
    '49',
  ]);
  const result = await pollUntilComplete(served, upload.job_id);
  const { width = 0, height = 0 } = await sharp(PHOTO).metadata();
  expect(result).toMatchObject({ image_id: upload.image_id, status: 'completed' });
  expect(result.metadata.dominant_color).toMatch(/^#[\dA-F]{6}$/);
  expect(result.metadata.original_dimensions).toEqual({ width, height });
  expect(result.metadata.context).toEqual({ activity_id: 'xyz', user_id: 'abc' });

  const sizes = { thumbnail: 150, medium: 600, large: 1_200, original: 4_096 };
  expect(Object.keys(result.urls)).toEqual(Object.keys(sizes));
  for (const [size, most] of Object.entries(sizes)) {
    const described = result.metadata.variants[size];
    expect(described).toMatchObject({ width: Math.min(most, width), format: 'webp' });
    const file = await ask(`${served.url}${result.urls[size]}`);
    expect([file.status, file.headers.get('content-type')]).toEqual([200, 'image/webp']);
    expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(file.body.length).toBe(described.size_bytes);
    const picture = await sharp(file.body).metadata();
    expect([picture.format, picture.width, picture.height]).toEqual([
      'webp',
      described.width,
      described.height,
    ]);
    const aspect = described.width / described.height;
    expect(described.aspect_ratio).toBeCloseTo(aspect, 3);
    expect((await ask(`${images}/${upload.image_id}/direct?size=${size}`)).body.equals(file.body)).toBe(true);
    const one = { image_id: upload.image_id, size, url: result.urls[size], ...described };
    expect((await ask(`${images}/${upload.image_id}?size=${size}`)).body).toEqual(one);
    expect((await ask(`${images}/batch?image_ids=${upload.image_id}&size=${size}`)).body).toEqual({
      images: [one],
    });
  }
  expect((await ask(`${images}/${upload.image_id}/all`)).body).toEqual(result);
  const { body: job } = await ask(`${images}/jobs/${upload.job_id}`);
  expect(job).toMatchObject({
    status: 'completed',
    error: null,
    attempts: 1,
    completed_at: result.completed_at,
  });
  expect((await ask(`${images}/${upload.image_id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await ask(`${images}/${upload.image_id}/all`)).status).toBe(404);
  expect((await ask(`${served.url}${result.urls.medium}`)).status).toBe(404);
  await stopServe(served);
  expect(assertStored(place).images).toEqual([]);
});
