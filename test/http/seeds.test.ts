import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PHOTO, postFiles, startService } from './service.ts';

// The bodies are those of the documents that describe the service. Clients read these fields.

const seed = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./seeds/${name}.json`, import.meta.url), 'utf8'));

/** The paths of all members, with the types of their values. */
function shapeOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null)
    return [`${path}: ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, `${path}/${key}`));
}

function expectShape(body: unknown, name: string): void {
  const shape = shapeOf(body);
  expect({ name, missing: shapeOf(seed(name)).filter((line) => !shape.includes(line)) }).toEqual({
    name,
    missing: [],
  });
}

describe('the fields of the documents', () => {
  it('are in the answer to an upload, with the texts that the document shows', async () => {
    const { upload } = await startService();
    const { status, body } = await upload(PHOTO);
    expect(status).toBe(202);
    expectShape(body, 'upload');
    expect(body).toMatchObject({
      status_url: `/api/v1/images/jobs/${body.job_id}`,
      message: 'Upload accepted. Processing initiated.',
    });
  });

  it('are in a job and in its result', async () => {
    const { upload, complete, ask } = await startService();
    const { body } = await upload(PHOTO, {
      fields: { bucket: 'bucket', metadata: '{"context":"test_upload"}' },
    });
    await complete();
    expectShape((await ask(body.status_url)).body, 'job');
    const { body: result } = await ask(`${body.status_url}/result`);
    expectShape(result, 'result');
    expectShape((await ask(`/api/v1/images/${body.image_id}/all`)).body, 'result');
    for (const size of ['thumbnail', 'medium', 'large', 'original']) {
      const address = `/storage/bucket/processed/${size}/${body.image_id}_${size}.webp`;
      expect(result.urls[size]).toBe(address);
    }
    expect(result.metadata.dominant_color).toBe('#3A5F8C');
    expect(result.metadata.context).toEqual({ context: 'test_upload' });
  });

  it('are in a batch and its images', async () => {
    const service = await startService();
    const { body } = await postFiles(service, '/upload', [PHOTO, PHOTO]);
    await service.complete();
    expectShape((await service.ask(`/batch/${body.batch_id}`)).body, 'batch');
    const { body: page } = await service.ask(`/batch/${body.batch_id}/images`);
    expect(page.images).toHaveLength(2);
    expectShape(page.images[0], 'batch-image');
  });

  it('are in the figures for the operator', async () => {
    const { upload, complete, ask, http } = await startService();
    await upload(PHOTO);
    await complete();
    expectShape((await ask('/api/v1/health/stats', { base: http.urls.admin! })).body, 'stats');
  });
});
