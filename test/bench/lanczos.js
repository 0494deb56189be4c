/**
 * Scales a plane down by Lanczos over three lobes, whose weights span as many source pixels as fall on three of the
 * target's: nothing is halved or averaged before. The reference that libraries with short cuts are held against.
 */
export function scaleDown(plane, from, to) {
  const across = taps(from.width, to.width);
  const down = taps(from.height, to.height);
  const rows = new Float64Array(to.width * from.height);
  for (let y = 0; y < from.height; y++) {
    for (let x = 0; x < to.width; x++) {
      const { first, weights } = across[x];
      const at = y * from.width + first;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += plane[at + k] * weights[k];
      rows[y * to.width + x] = sum;
    }
  }
  const made = new Float64Array(to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    const { first, weights } = down[y];
    const row = y * to.width;
    for (let k = 0; k < weights.length; k++) {
      const [at, weight] = [(first + k) * to.width, weights[k]];
      for (let x = 0; x < to.width; x++) made[row + x] += rows[at + x] * weight;
    }
  }
  return made.map((value) => Math.min(255, Math.max(0, value)));
}

const LOBES = 3;

/** For each target pixel the first source pixel and the weights from there on; pixel centres lie at halves. */
function taps(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5;
    const first = Math.max(0, Math.ceil(centre - LOBES * scale));
    const last = Math.min(from - 1, Math.floor(centre + LOBES * scale));
    const raw = Float64Array.from({ length: last - first + 1 }, (_, k) =>
      lanczos((first + k - centre) / scale),
    );
    const total = raw.reduce((sum, each) => sum + each, 0);
    return { first, weights: raw.map((each) => each / total) };
  });
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos = (x) => (Math.abs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0);
