import { beforeEach, describe, expect, it } from 'vitest';
import { openLedger } from '../../../src/adapters/worker-pool/ledger.ts';

let now = 0;
let ledger: ReturnType<typeof openLedger>;
beforeEach(() => {
  now = 1_000;
  ledger = openLedger(() => now);
});
const pass = (ms: number) => {
  now += ms;
};
const took = (ms: number, cpu: number) => ({ ms, cpu });

describe('the ledger of children', () => {
  it('records each period of a child once, in its category', () => {
    const child = ledger.open();
    child.lent(false);
    pass(100);
    child.ready();
    pass(7);
    child.lent(true);
    child.asked('open');
    pass(12);
    child.answered(took(10, 150));
    pass(3);
    child.asked('render');
    pass(85);
    child.answered(took(80, 240));
    pass(5);
    child.lent(false);
    pass(11);
    child.released(took(1, 241));
    expect(ledger.spent()).toEqual({
      ...{ started: 1, cpu: 241, starting: 100, travel: 7 },
      asked: { open: { calls: 1, ms: 10 }, render: { calls: 1, ms: 80 }, release: { calls: 1, ms: 1 } },
      held: { before: 3, after: 5 },
      idle: { first: 7, between: 0, last: 11 },
    });
  });

  it('counts a rest as the last one only until the next picture comes', () => {
    const child = ledger.open();
    child.ready();
    child.lent(false);
    pass(20);
    expect(ledger.spent().idle).toEqual({ first: 0, between: 0, last: 20 });
    child.lent(true);
    child.asked('open');
    child.answered(took(0, 0));
    child.lent(false);
    pass(4);
    expect(ledger.spent().idle).toEqual({ first: 0, between: 20, last: 4 });
  });

  it('adds up all children, including ended ones', () => {
    for (const ms of [30, 50]) {
      const child = ledger.open();
      pass(ms);
      child.ready();
      child.asked('open');
      child.answered(took(0, ms));
      pass(4);
      child.close();
      pass(1_000);
    }
    expect(ledger.spent()).toMatchObject({
      started: 2,
      starting: 80,
      cpu: 80,
      asked: { open: { calls: 2 } },
    });
    expect(ledger.spent().held).toEqual({ before: 8, after: 0 });
  });

  it('counts the request that killed a child as work, not as an answer', () => {
    const child = ledger.open();
    child.ready();
    child.asked('render');
    pass(400);
    child.close();
    // A child that is stuck in the kernel is closed before it ends.
    pass(50);
    child.close();
    expect(ledger.spent()).toMatchObject({
      travel: 0,
      asked: { render: { calls: 0, ms: 400 } },
      held: { after: 0 },
    });
  });

  it('limits the reported work of a child to the time that the parent waited', () => {
    const child = ledger.open();
    child.ready();
    child.asked('open');
    pass(5);
    child.answered(took(9, 1));
    expect(ledger.spent()).toMatchObject({ travel: 0, asked: { open: { ms: 5 } } });
  });

  it('uses the parent’s times alone if a child reports none', () => {
    const child = ledger.open();
    child.ready();
    child.asked('open');
    pass(5);
    child.answered(undefined);
    child.released(undefined);
    expect(ledger.spent()).toMatchObject({ cpu: 0, travel: 0, asked: { open: { calls: 1, ms: 5 } } });
  });
});
