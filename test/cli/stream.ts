/** A stream as text, with a way to wait for a line. */
export function readerOf(stream: NodeJS.ReadableStream) {
  let text = '';
  let ended = false;
  const looking = new Set<() => void>();
  const look = () => {
    for (const one of looking) one();
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text += chunk;
    look();
  });
  stream.on('close', () => {
    ended = true;
    look();
  });
  return {
    text: () => text,
    lines: (wanted: RegExp, count: number) =>
      new Promise<string[] | undefined>((resolve) => {
        const one = () => {
          const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
          const found = whole.filter((line) => wanted.test(line)).slice(0, count);
          const isEnough = found.length === count;
          if (!isEnough && !ended) return;
          looking.delete(one);
          resolve(isEnough ? found : undefined);
        };
        looking.add(one);
        one();
      }),
  };
}
