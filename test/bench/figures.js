import { availableParallelism, cpus, totalmem, type } from 'node:os';

/** What every table of figures starts with. */
export function header() {
  const memory = Math.round(totalmem() / 2 ** 30);
  const machine = `${cpus()[0]?.model}, ${availableParallelism()} cores, ${memory} GB, ${type()}`;
  return [`${machine}, Node ${process.version}`];
}

/** A table: ways of doing one thing, the first of which the others are compared with. */
export function figures(ways) {
  const [base] = Object.values(ways);
  return table(
    ['way', 'median', 'range', 'ratio'],
    Object.entries(ways).map(([name, all]) => [
      name,
      median(all).toFixed(0),
      range(all),
      ratio(all, base).toFixed(2),
    ]),
  );
}

/** Lines of Markdown. */
export function table(head, rows) {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => `${row[i]}`.length)));
  const line = (cells) => `| ${cells.map((cell, i) => `${cell}`.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

export function median(all) {
  const sorted = [...all].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.floor(half)] + sorted[Math.ceil(half) - 1]) / 2;
}

/** The median of each round's own: what slows the machine down for a while slows both. */
export function ratio(all, base) {
  return median(all.map((each, i) => each / base[i]));
}

export function mean(all) {
  return all.reduce((sum, each) => sum + each, 0) / all.length;
}

/** The least and the most, with as many digits as are asked for, after division. */
export function range(all, digits = 0, by = 1) {
  return `${(Math.min(...all) / by).toFixed(digits)}–${(Math.max(...all) / by).toFixed(digits)}`;
}

export const seconds = (all) => [(median(all) / 1000).toFixed(2), range(all, 2, 1000)];
