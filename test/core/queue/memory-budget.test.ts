import { setImmediate as settled } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type MemoryBudget, openMemoryBudget } from '../../../src/core/queue/memory-budget.ts';
import { random } from '../../random.ts';

const MOST = 100;

let budget: MemoryBudget;
beforeEach(() => {
  budget = openMemoryBudget(MOST);
});

/** A picture that asks for memory, and its state. */
interface Guest {
  readonly bytes: number;
  state: 'waiting' | 'in' | 'gone' | 'cancelled';
  leave(): void;
  abort(): void;
}

function ask(bytes: number, entered: (guest: Guest) => void = () => {}): Guest {
  const stop = new AbortController();
  const guest: Guest = { bytes, state: 'waiting', leave() {}, abort: () => stop.abort() };
  budget.reserve(bytes, stop.signal).then(
    (leave) => {
      guest.state = 'in';
      guest.leave = () => {
        guest.state = 'gone';
        leave();
      };
      entered(guest);
    },
    ({ code }: { code: string }) => {
      guest.state = code === 'cancelled' ? code : 'gone';
    },
  );
  return guest;
}

async function states(guests: readonly Guest[]): Promise<string> {
  await settled();
  return guests.map(({ state }) => state).join(' ');
}

describe('a memory budget', () => {
  it('admits as many pictures as fit together', async () => {
    const guests = [40, 60, 1].map((bytes) => ask(bytes));
    expect(await states(guests)).toBe('in in waiting');
    guests[0]?.leave();
    expect(await states(guests)).toBe('gone in in');
  });

  it('admits pictures in the order of their requests, even small ones behind a large one', async () => {
    const guests = [50, 60, 10].map((bytes) => ask(bytes));
    expect(await states(guests)).toBe('in waiting waiting');
    guests[0]?.leave();
    expect(await states(guests)).toBe('gone in in');
  });

  it('frees the memory of a picture once, even if it is released twice', async () => {
    const leave = await budget.reserve(60);
    const guests = [40, 60, 60].map((bytes) => ask(bytes));
    leave();
    leave();
    expect(await states(guests)).toBe('in in waiting');
  });

  it('admits a picture above the budget alone', async () => {
    expect([MOST, MOST + 1].map(budget.exceeds)).toEqual([false, true]);
    const guests = [1, 5 * MOST, 1, 1].map((bytes) => ask(bytes));
    expect(await states(guests)).toBe('in waiting waiting waiting');
    guests[0]?.leave();
    expect(await states(guests)).toBe('gone in waiting waiting');
    guests[1]?.leave();
    expect(await states(guests)).toBe('gone gone in in');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('admits a picture of %d bytes alone', async (bytes) => {
    expect(budget.exceeds(bytes)).toBe(true);
    const guests = [bytes, 1].map((each) => ask(each));
    expect(await states(guests)).toBe('in waiting');
    guests[0]?.leave();
    expect(await states(guests)).toBe('gone in');
  });

  it.each([0, -5, 0.5])('reserves memory for a picture of %d bytes', async (bytes) => {
    const guests = [bytes, MOST].map((each) => ask(each));
    expect(await states(guests)).toBe('in waiting');
    guests[0]?.leave();
    expect(await states(guests)).toBe('gone in');
  });
});

describe('a cancelled wait for memory', () => {
  it('lets later pictures in that fit', async () => {
    const guests = [60, 70, 20, 20].map((bytes) => ask(bytes));
    expect(await states(guests)).toBe('in waiting waiting waiting');
    guests[1]?.abort();
    expect(await states(guests)).toBe('in cancelled in in');
  });

  it('reserves no memory', async () => {
    const guests = [60, 70, 100].map((bytes) => ask(bytes));
    guests[1]?.abort();
    guests[0]?.leave();
    await settled();
    guests[0]?.leave();
    expect(await states(guests)).toBe('gone cancelled in');
  });

  it('does not begin after its signal is aborted', async () => {
    await expect(budget.reserve(1, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(await states([ask(MOST)])).toBe('in');
  });

  it('does not affect admitted pictures', async () => {
    const guests = [60, 60].map((bytes) => ask(bytes));
    await settled();
    guests[0]?.abort();
    expect(await states(guests)).toBe('in waiting');
  });
});

describe('pictures that come, leave and give up in random order', () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  it.each(Array.from({ length: 50 }, (_, i) => first + i))(
    'are all admitted in order (seed %d)',
    async (seed) => {
      const next = random(seed);
      const pick = (guests: readonly Guest[]) => guests[Math.floor(next() * guests.length)];
      const asked: Guest[] = [];
      const entered: Guest[] = [];
      const among = (state: Guest['state']) => asked.filter((guest) => guest.state === state);

      const check = async () => {
        await settled();
        const inside = among('in');
        const sum = inside.reduce((total, { bytes }) => total + bytes, 0);
        expect(sum <= MOST || inside.length === 1, `${inside.map(({ bytes }) => bytes)}`).toBe(true);
        const head = among('waiting')[0];
        // No picture waits that would fit.
        if (head !== undefined) expect(inside.length > 0 && sum + head.bytes > MOST).toBe(true);
        expect(entered).toEqual(asked.filter((guest) => entered.includes(guest)));
      };

      for (let step = 0; step < 150; step++) {
        const chance = next();
        const giant = next() < 0.1;
        if (chance < 0.5)
          asked.push(ask(Math.ceil(next() * (giant ? 4 : 0.6) * MOST), (guest) => entered.push(guest)));
        else if (chance < 0.85) pick(among('in'))?.leave();
        else pick(among('waiting'))?.abort();
        // Sometimes several events happen in one turn of the event loop.
        if (next() < 0.7) await check();
      }
      for (await check(); among('in').length > 0; await check()) pick(among('in'))?.leave();
      expect(among('waiting')).toEqual([]);
      expect(entered.length + among('cancelled').length).toBe(asked.length);
    },
  );
});
