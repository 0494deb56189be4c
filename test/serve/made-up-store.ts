import type { Image, ImageState, UploadBatch } from '../../src/model.ts';
import type { Claim, ImageEnd, NewUpload, Store } from '../../src/ports.ts';

interface Row {
  image: Image;
  staged: string | null;
  due: number;
  taken: number;
  isHidden: boolean;
}

/** A store in memory, with what a worker needs. */
export function openMadeUpStore(): Store {
  const rows = new Map<string, Row>();
  const batches = new Map<string, NewUpload>();
  const change = (row: Row, over: Partial<Image>) => {
    row.image = { ...row.image, ...over };
  };
  const fate = ({ id, taken }: Claim) => {
    const row = rows.get(id);
    if (row === undefined || row.isHidden || row.image.state === 'cancelled') return 'gone';
    return row.image.state === 'processing' && row.taken === taken ? row : 'taken';
  };
  const never = () => {
    throw new Error('the made-up store has no such step');
  };
  const counts = {
    pending: 0,
    processing: 0,
    retrying: 0,
    completed: 0,
    duplicate: 0,
    failed: 0,
    cancelled: 0,
  };
  const visible = () => [...rows.values()].filter(({ isHidden }) => !isHidden);
  const isOpen = (state: ImageState) => ['pending', 'processing', 'retrying'].includes(state);
  const store: Partial<Store> = {
    async accept(upload) {
      batches.set(upload.id, upload);
      for (const one of upload.images) {
        const { id, job, name, metadata, uploaded, staged, error } = one;
        const image: Image = {
          ...{
            id,
            job,
            name,
            metadata,
            uploaded,
            batch: upload.id,
            owner: upload.owner,
            bucket: upload.bucket,
          },
          ...{
            state: error === null ? 'pending' : 'failed',
            attempts: 0,
            picture: null,
            dominantColor: null,
          },
          ...{ degraded: false, duplicateOf: null, ms: null, error, createdAt: Date.now(), startedAt: null },
          ...{ completedAt: null, outputs: [] },
        };
        rows.set(id, { image, staged, due: 0, taken: 0, isHidden: false });
      }
      return { type: 'accepted', quota: null };
    },
    async take(_, limit) {
      const due = visible()
        .filter(({ image: { state }, due }) => ['pending', 'retrying'].includes(state) && due <= Date.now())
        .slice(0, limit);
      return due.map((row) => {
        change(row, { state: 'processing', attempts: row.image.attempts + 1 });
        row.taken++;
        const { id, job, batch, owner, bucket, name, attempts, uploaded } = row.image;
        const { preset } = batches.get(batch)!;
        const { staged, taken } = row;
        return {
          ...{ id, job, batch, owner, bucket, name, attempt: attempts, taken, preset, staged },
          uploaded: uploaded!,
        };
      });
    },
    lost: async (claims) => claims.filter((claim) => typeof fate(claim) === 'string'),
    async settle(claim, end: ImageEnd) {
      const row = fate(claim);
      if (typeof row === 'string') return row;
      if (end.state === 'retrying') row.due = Date.now() + end.delay;
      if (end.state === 'completed' || end.state === 'duplicate') row.staged = null;
      const { delay: _, ...facts } = { delay: 0, ...end };
      change(row, facts);
      return 'settled';
    },
    endBatch: async (batch) => !visible().some(({ image }) => image.batch === batch && isOpen(image.state)),
    async giveBack(claims) {
      for (const claim of claims) {
        const row = fate(claim);
        if (typeof row !== 'string') change(row, { state: 'pending', attempts: claim.attempt - 1 });
      }
    },
    async recover() {
      const left = visible().filter(({ image: { state } }) => state === 'processing');
      for (const row of left) change(row, { state: 'pending' });
      return left.length;
    },
    image: async (_, id) => visible().find(({ image }) => image.id === id)?.image,
    async batchOf(_, id): Promise<UploadBatch | undefined> {
      const upload = batches.get(id);
      return upload && { ...upload, createdAt: 0, completedAt: null, counts };
    },
    async cancel(_, what) {
      const all = visible().filter(({ image: { batch, job, state } }) => {
        return isOpen(state) && ('batch' in what ? what.batch === batch : what.job === job);
      });
      for (const row of all) change(row, { state: 'cancelled' });
      return all.length;
    },
    async remove(_, id) {
      const row = rows.get(id);
      if (row === undefined || row.isHidden) return undefined;
      row.isHidden = true;
      return [...row.image.outputs.map(({ key }) => key), ...(row.staged === null ? [] : [row.staged])];
    },
    removed: async (id) => void rows.delete(id),
    async made(owner, digest, settings) {
      for (const { image } of visible()) {
        const outputs = image.outputs.filter((output) => settings.includes(output.settings));
        if (image.owner === owner && image.uploaded?.digest === digest && outputs.length > 0)
          return { ...image, outputs };
      }
      return undefined;
    },
    async close() {},
  };
  return new Proxy(store, { get: (of, key) => Reflect.get(of, key) ?? never }) as Store;
}
