import { Refusal } from './problem.ts';
import { LONGEST_METADATA } from './schemas.ts';

/** Deeper values could not be written by every program that reads them. */
const DEEPEST = 64;

/** The field `metadata` of an upload, a JSON value as text. Errors: `invalid_request`. */
export function readMetadata(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  const refuse = (what: string) => new Refusal('invalid_request', `metadata: ${what}`);
  if (Buffer.byteLength(text) > LONGEST_METADATA) throw refuse(`is longer than ${LONGEST_METADATA} bytes`);
  try {
    JSON.parse(text);
  } catch {
    throw refuse('expected a JSON value');
  }
  if (depthOf(text) > DEEPEST) throw refuse(`is nested deeper than ${DEEPEST} levels`);
  return text;
}

/** How deep arrays and objects of a valid JSON text are nested. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}
