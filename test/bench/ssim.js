/**
 * Structural similarity of two planes of luminance of the same size, 0 to 255: the mean over all windows of
 * 11 × 11 pixels, weighted by a Gaussian of 1.5 pixels, K1 = 0.01, K2 = 0.03 (Wang, Bovik, Sheikh and Simoncelli, "Image
 * quality assessment: from error visibility to structural similarity", IEEE Transactions on Image Processing 13(4),
 * 2004). Pictures smaller than a window are one window of their own size.
 */
export function ssim(a, b, { width, height }) {
  const across = weights(width);
  const down = weights(height);
  const blurred = (plane) => blur(plane, width, height, across, down);
  const [meanA, meanB] = [blurred(a), blurred(b)];
  const squareA = blurred(product(a, a));
  const squareB = blurred(product(b, b));
  const both = blurred(product(a, b));
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const [x, y] = [meanA[i], meanB[i]];
    const luminance = 2 * x * y + C1;
    const structure = 2 * (both[i] - x * y) + C2;
    sum += (luminance * structure) / ((x * x + y * y + C1) * (squareA[i] - x * x + squareB[i] - y * y + C2));
  }
  return sum / meanA.length;
}

const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;
const [WINDOW, SIGMA] = [11, 1.5];

function weights(side) {
  const size = Math.min(WINDOW, side);
  const raw = Float64Array.from({ length: size }, (_, i) =>
    Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * SIGMA ** 2)),
  );
  const total = raw.reduce((sum, each) => sum + each, 0);
  return raw.map((each) => each / total);
}

function product(a, b) {
  const made = new Float64Array(a.length);
  for (let i = 0; i < made.length; i++) made[i] = a[i] * b[i];
  return made;
}

/** Only where the whole window lies inside: rows first, then columns. */
function blur(plane, width, height, across, down) {
  const [w, h] = [width - across.length + 1, height - down.length + 1];
  const rows = new Float64Array(w * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (let k = 0; k < across.length; k++) sum += plane[y * width + x + k] * across[k];
      rows[y * w + x] = sum;
    }
  }
  const made = new Float64Array(w * h);
  for (let k = 0; k < down.length; k++) {
    const [from, weight] = [k * w, down[k]];
    for (let i = 0; i < made.length; i++) made[i] += rows[from + i] * weight;
  }
  return made;
}
