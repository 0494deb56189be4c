import sharp from 'sharp';

/** Sides of the graphics, in pixels. */
const [WIDTH, HEIGHT] = [1800, 1200];

const WORDS = 'Sphinx of black quartz, judge my vow. Pack my box with five dozen liquor jugs. 0123456789';

/** Graphics that compress in different ways, as PNG files like those that programs write. */
export function graphics() {
  const drawn = {
    'logo with transparency': svg(logo()),
    'screenshot with text': svg(screenshot()),
    'line chart': svg(chart()),
    'palette cartoon': svg(cartoon(), 'crispEdges'),
    'grey scan': scan(),
    'fax of one bit': fax(),
  };
  return Promise.all(
    Object.entries(drawn).map(async ([name, picture]) => ({
      name,
      png: await (await picture).png().toBuffer(),
    })),
  );
}

function svg(content, rendering = 'auto') {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"`;
  return sharp(
    Buffer.from(`${head} shape-rendering="${rendering}" font-family="sans-serif">${content}</svg>`),
  );
}

/** As many parts as are asked for. */
const parts = (count, part) => Array.from({ length: count }, (_, i) => part(i)).join('');
const rect = (x, y, width, height, fill) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
const text = (x, y, size, fill, words) =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}">${words}</text>`;

/** Deterministic noise, 0 to 1. */
function noise(x, y) {
  const hash = Math.imul(Math.imul(x + 1, 374_761_393) ^ Math.imul(y + 1, 668_265_263), 1_274_126_177);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

const logo = () =>
  '<linearGradient id="g"><stop stop-color="#f62"/><stop offset="1" stop-color="#c06"/></linearGradient>' +
  '<circle cx="900" cy="480" r="400" fill="url(#g)"/><circle cx="900" cy="480" r="300" fill="#fff" fill-opacity=".4"/>' +
  '<path d="M700 640 L900 200 L1100 640 Z" fill="#206"/>' +
  text(420, 1100, 180, '#206', 'imgtool');

const screenshot = () =>
  rect(0, 0, WIDTH, HEIGHT, '#fff') +
  rect(0, 0, WIDTH, 70, '#24292f') +
  rect(0, 70, 380, HEIGHT, '#f6f8fa') +
  text(30, 46, 28, '#fff', 'Settings') +
  parts(20, (i) => text(30, 130 + i * 52, 22, i === 4 ? '#0969da' : '#57606a', WORDS.slice(i, i + 22))) +
  parts(36, (i) => text(430, 130 + i * 28, 20, i % 6 === 0 ? '#24292f' : '#57606a', WORDS.slice(i % 9))) +
  parts(3, (i) => rect(1400, 760 + i * 90, 320, 60, ['#2da44e', '#0969da', '#cf222e'][i]));

const chart = () =>
  rect(0, 0, WIDTH, HEIGHT, '#fff') +
  parts(
    11,
    (i) => rect(120, 100 + i * 95, 1600, 2, '#ddd') + text(40, 108 + i * 95, 26, '#444', `${100 - i * 10}`),
  ) +
  ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728'].reduce((lines, colour, k) => {
    const height = (i) => 560 + 300 * Math.sin(i / (9 + 4 * k)) + 160 * (noise(i, k) - 0.5);
    const points = Array.from({ length: 161 }, (_, i) => `${120 + i * 10},${height(i).toFixed(1)}`);
    return `${lines}<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="4"/>`;
  }, '');

const cartoon = () =>
  rect(0, 0, WIDTH, HEIGHT, '#7ec8f2') +
  parts(60, (i) => {
    const [x, y, r] = [noise(i, 1) * WIDTH, noise(i, 2) * HEIGHT, 20 + noise(i, 3) * 160];
    const hue = (i % 40) * 9;
    const fill = `hsl(${hue},70%,${35 + (i % 5) * 10}%)`;
    return `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}" stroke="#222" stroke-width="6"/>`;
  });

const page = () =>
  rect(0, 0, WIDTH, HEIGHT, '#fff') +
  text(120, 140, 60, '#000', 'Invoice 0123') +
  parts(28, (i) => text(120, 220 + i * 34, 24, '#000', WORDS.slice(i % 11))) +
  parts(4, (i) => rect(1300, 300 + i * 60, 380, 3, '#000'));

/** A page of text with the noise of paper. */
const scan = () => grey(page(), (level, x, y) => 20 + level * 0.85 + (noise(x, y) - 0.5) * 12);

const fax = () => grey(page(), (level) => (level > 127 ? 255 : 0));

/** One channel of a drawing; `change` gets each level, 0 to 255, with its place. */
async function grey(content, change) {
  const data = await svg(content).toColourspace('b-w').removeAlpha().raw().toBuffer();
  for (let i = 0; i < data.length; i++) data[i] = change(data[i], i % WIDTH, Math.floor(i / WIDTH));
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } }).toColourspace('b-w');
}
