import { ImgtoolError } from '../errors.ts';

/** What a text of JSON or YAML says. Errors: `config`, with line and column. */
export async function parse(text: string, path: string): Promise<unknown> {
  const json = text.trimStart().startsWith('{') ? parseJson(text) : {};
  if ('value' in json) return json.value;

  // JSON is YAML too, and may then have comments and trailing commas.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const [start] = problem.linePos ?? [];
    const where = start ? `:${start.line}:${start.col}` : '';
    const what = problem.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '');
    throw new ImgtoolError('config', `${path}${json.problem ?? `${where}: is no JSON or YAML: ${what}`}`);
  }
  try {
    return document.toJS();
  } catch (cause) {
    throw new ImgtoolError('config', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** The value, or what is wrong and where if the engine says where. */
function parseJson(text: string): { value: unknown } | { problem?: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const [tail, position] = / in JSON at position (\d+).*$/s.exec(message) ?? [];
    if (tail === undefined) return {};
    const lines = text.slice(0, Number(position)).split('\n');
    const what = message.slice(0, -tail.length);
    return { problem: `:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}: is no JSON: ${what}` };
  }
}
