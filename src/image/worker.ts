// The child process's entry point. It has no static imports of code: a terminal sends Ctrl-C to child processes too,
// and without the listeners below the signal would end a child that is still loading its libraries.
import type { Message, Request } from './protocol.ts';

/** Only the parent ends a child process. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

/** The parent has exited. `process.exit` would wait for the encoder. */
process.on('disconnect', end);
if (!process.connected) end();

function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function send(message: Message): void {
  // Sending fails only when the channel is closed, and then `disconnect` ends the child process.
  process.send?.(message, () => {});
}

const { answer } = await import('./work.ts');
process.on('message', async (request: Request) => send(await answer(request, send)));
send({ type: 'ready' });
