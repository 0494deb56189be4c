/** The row filters for one-byte pixels (PNG, third edition, 9.2), which predict a byte from left, up and upper left. */
const FILTERS: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  paeth,
];

/** The neighbour that is nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const fromLeft = Math.abs(up - corner);
  const fromUp = Math.abs(left - corner);
  const fromCorner = Math.abs(left + up - 2 * corner);
  if (fromLeft <= fromUp && fromLeft <= fromCorner) return left;
  return fromUp <= fromCorner ? up : corner;
}

/** What a filter, 0 to 4, predicts for byte `x` of the row that starts at `at`. Rows are `row` bytes long. */
export function predicted(filter: number, rows: Buffer, row: number, at: number, x: number): number {
  const left = x > 1 ? rows[at + x - 1]! : 0;
  const up = at > 0 ? rows[at + x - row]! : 0;
  const corner = x > 1 && at > 0 ? rows[at + x - row - 1]! : 0;
  return FILTERS[filter]!(left, up, corner);
}

/**
 * Filters rows of one-byte pixels; a filter byte precedes each row. For each row it chooses the filter with the
 * smallest sum of absolute values, read as signed bytes (PNG, third edition, 12.7).
 */
export function filteredRows(rows: Buffer, row: number): Buffer {
  const made = Buffer.alloc(rows.length);
  const tried = Buffer.alloc(row);
  for (let at = 0; at < rows.length; at += row) {
    let least = Number.POSITIVE_INFINITY;
    for (let filter = 0; filter < FILTERS.length; filter++) {
      tried[0] = filter;
      let sum = 0;
      for (let x = 1; x < row; x++) {
        const byte = (rows[at + x]! - predicted(filter, rows, row, at, x)) & 255;
        tried[x] = byte;
        sum += byte < 128 ? byte : 256 - byte;
      }
      if (sum >= least) continue;
      least = sum;
      tried.copy(made, at);
    }
  }
  return made;
}
