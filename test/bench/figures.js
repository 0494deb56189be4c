import { cpus } from 'node:os';

/** What every table of figures starts with. */
export function header() {
  return [`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`];
}

/** A table: ways of doing one thing, the first of which the others are compared with. */
export function figures(ways) {
  const [base] = Object.values(ways);
  return [
    '| way | median | range | ratio |',
    '|---|---|---|---|',
    ...Object.entries(ways).map(([name, all]) => {
      const range = `${Math.min(...all).toFixed(0)}–${Math.max(...all).toFixed(0)}`;
      const ratio = (median(all) / median(base)).toFixed(2);
      return `| ${name} | ${median(all).toFixed(0)} | ${range} | ${ratio} |`;
    }),
  ];
}

export function median(all) {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
