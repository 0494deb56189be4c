/** A value of a column. */
type Value = string | number | null;

/** A statement between two values of which each is a parameter. A database joins the parts with its own placeholders. */
export interface Statement {
  readonly parts: readonly string[];
  readonly values: readonly Value[];
}

/**
 * One atomic step on the store, written once for each database: it yields statements and is given their rows. SQLite
 * carries out a step at once. A database behind a network answers each statement in its turn.
 */
export type StoreStep<T> = Generator<Statement, T, readonly unknown[]>;

/** SQL without parameters, to be put into other SQL. */
export interface Fragment {
  readonly sql: string;
}

export const fragment = (sql: string): Fragment => ({ sql });

/** Values for `IN`. There must be at least one. */
export interface List {
  readonly list: readonly Value[];
}

/** The list is filled up to a power of two with its last value: a database need not prepare a text for each length. */
export function listOf(values: readonly Value[]): List {
  const filled = [...values];
  const last = values.at(-1) ?? null;
  while ((filled.length & (filled.length - 1)) !== 0) filled.push(last);
  return { list: filled };
}

/** A statement in a step, with the type of its rows: ``const rows = yield* sql<Row>`SELECT …`; ``. */
export function* sql<Row = never>(
  strings: TemplateStringsArray,
  ...values: readonly (Value | Fragment | List)[]
): StoreStep<readonly Row[]> {
  const parts = [strings[0] ?? ''];
  const given: Value[] = [];
  const append = (text: string) => parts.push((parts.pop() ?? '') + text);
  const parameter = (value: Value) => {
    given.push(value);
    parts.push('');
  };
  for (const [at, value] of values.entries()) {
    if (value === null || typeof value !== 'object') parameter(value);
    else if ('sql' in value) append(value.sql);
    else {
      for (const [i, one] of value.list.entries()) {
        append(i === 0 ? '(' : ', ');
        parameter(one);
      }
      append(')');
    }
    append(strings[at + 1] ?? '');
  }
  return (yield { parts, values: given }) as readonly Row[];
}
