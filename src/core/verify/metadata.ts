import type { Problem } from '../../model/verified.ts';
import type { Inspected } from '../../model.ts';

/** Compares the metadata in an output with the record of what was written into it. */
export function metadataProblems(found: Inspected, recorded: string | null): Problem[] {
  const written = writtenIn(recorded);
  const more = found.metadata.filter((name) => written[name] === undefined);
  const names = Object.keys(written);
  const other = names.filter((name) => isThere(found, name) && found.digests[name] !== written[name]);
  const less = names.filter((name) => !isThere(found, name));
  const said = [
    ...(more.length === 0 ? [] : [`carries ${more.join(', ')}`]),
    ...(other.length === 0 ? [] : [`carries other ${other.join(', ')} than was written`]),
    ...(less.length === 0 ? [] : [`lacks ${less.join(', ')}, which was written`]),
  ];
  return said.length === 0 ? [] : [{ problem: 'metadata', message: said.join(', ') }];
}

const isThere = ({ metadata }: Inspected, name: string): boolean => metadata.includes(name);

/** The digests of what was written, by name. */
function writtenIn(recorded: string | null): Readonly<Record<string, string>> {
  if (recorded === null) return {};
  const { blocks } = JSON.parse(recorded) as { readonly blocks: Readonly<Record<string, string>> };
  return blocks;
}
