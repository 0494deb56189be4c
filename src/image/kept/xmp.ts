import sax, { type QualifiedTag } from 'sax';
import { escaped, NAMESPACES, PREFIXES, type Property, RDF, rdfText, XML } from './xml.ts';

/** Properties by name, such as `dc:rights`. */
export type Xmp = ReadonlyMap<string, Property>;

/** The most characters of one value. The parser has the same limit for an attribute. */
const MAX_TEXT = 65_536;
/** The most characters of one tag with its attributes. */
const MAX_TAG = 4 * MAX_TEXT;
/** The most properties, and the most texts of one property. */
const MAX_PROPERTIES = 10_000;
/** The most pieces of XML before they become one text. */
const MAX_PIECES = 4096;
/** The deepest nesting: structures in lists in structures have about ten levels. */
const MAX_DEPTH = 64;
/** Bytes that are parsed at a time. */
const PIECE = 65_536;

/**
 * Reads the properties of an XMP packet (ISO 16684-1) that are `wanted`. Others take no memory. No entity beyond those of
 * XML is known, so none can grow. Throws for XML that is not well-formed.
 */
export function xmpIn(packet: Buffer, wanted: (name: string) => boolean): Xmp {
  const found = new Map<string, Property>();
  const prefixes = new Map(PREFIXES);
  const parser = sax.parser(true, { xmlns: true });
  /** Full names of open elements. */
  const open: string[] = [];
  let reading: Reading | null = null;
  /** Where the last event was. */
  let last = 0;
  const isInDescription = () => open.at(-2) === `${RDF}RDF`;
  const isNew = (name: string) => wanted(name) && !found.has(name);
  const add = (name: string, property: Property) => {
    found.set(name, property);
    if (found.size > MAX_PROPERTIES) throw new Error(`more than ${MAX_PROPERTIES} properties`);
  };
  parser.onerror = (error) => {
    throw new Error(error.message.split('\n')[0]);
  };
  parser.onopentag = (tag) => {
    last = parser.position;
    const element = tag as QualifiedTag;
    const name = nameOf(element, prefixes);
    if (reading === null && isInDescription() && isNew(name))
      reading = new Reading(name, open.length, prefixes);
    open.push(element.uri + element.local);
    if (open.length > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} levels`);
    if (reading !== null) reading.start(element);
    else if (isInDescription()) {
      for (const attribute of Object.values(element.attributes)) {
        const { prefix, uri, value } = attribute;
        if (uri === RDF || uri === XML || prefix === '' || prefix === 'xmlns') continue;
        const own = nameOf(attribute, prefixes);
        if (isNew(own)) add(own, rdfText(own, value, uri));
      }
    }
  };
  const onText = (text: string) => {
    last = parser.position;
    reading?.text(text);
  };
  parser.ontext = onText;
  parser.oncdata = onText;
  parser.onclosetag = () => {
    last = parser.position;
    open.pop();
    reading?.end();
    if (reading === null || open.length > reading.depth) return;
    add(reading.name, reading.property());
    reading = null;
  };
  // Bytes that are no UTF-8 become U+FFFD.
  const decoder = new TextDecoder('utf-8');
  // The padding ends with NUL in some files.
  const end = packet.lastIndexOf('>') + 1;
  for (let at = Math.max(0, packet.indexOf('<')); at < end; at += PIECE) {
    parser.write(decoder.decode(packet.subarray(at, Math.min(end, at + PIECE)), { stream: true }));
    if (parser.position - last > MAX_TAG) throw new Error(`a tag of more than ${MAX_TAG} characters`);
  }
  parser.close();
  return found;
}

type Named = { readonly prefix: string; readonly local: string; readonly uri: string };

/** The name with the usual prefix of its namespace, else with its own prefix if no other namespace has that. */
function nameOf({ prefix, local, uri }: Named, prefixes: Map<string, string>): string {
  let known = prefixes.get(uri);
  if (known === undefined) {
    const isTaken = prefix === '' || [...prefixes.values()].includes(prefix);
    known = isTaken ? `ns${prefixes.size}` : prefix;
    prefixes.set(uri, known);
  }
  return `${known}:${local}`;
}

/** Pictures inside a property, which are thumbnails. */
const PICTURES = NAMESPACES.xmpGImg;

/** One property while it is read. */
class Reading {
  readonly name: string;
  /** Number of elements around it. */
  readonly depth: number;
  readonly #prefixes: Map<string, string>;
  #xml: string[] = [];
  readonly #namespaces = new Map<string, string>();
  readonly #texts: string[] = [];
  /** Names of its open elements; null for those that are left out. */
  readonly #open: (string | null)[] = [];
  #text = '';
  #language = '';

  constructor(name: string, depth: number, prefixes: Map<string, string>) {
    this.name = name;
    this.depth = depth;
    this.#prefixes = prefixes;
  }

  start(element: QualifiedTag): void {
    const isLeftOut = this.#open.at(-1) === null || element.uri === PICTURES;
    this.#open.push(isLeftOut ? null : this.#declare(element));
    this.#text = '';
    this.#language = '';
    if (isLeftOut) return;
    const attributes = Object.values(element.attributes).flatMap((one) => {
      const { prefix, uri, local, value } = one;
      if (prefix === 'xmlns' || local === 'xmlns' || uri === '' || uri === PICTURES) return [];
      if (uri === XML) {
        this.#language = value;
        return [` xml:${local}="${escaped(value)}"`];
      }
      if (uri === RDF && local === 'resource') this.#texts.push(value);
      return [` ${this.#declare(one)}="${escaped(value)}"`];
    });
    this.#write(`<${this.#open.at(-1)}${attributes.join('')}>`);
  }

  text(text: string): void {
    if (this.#open.at(-1) === null) return;
    this.#write(escaped(text));
    if (this.#text.length < MAX_TEXT) this.#text += text;
  }

  end(): void {
    const name = this.#open.pop();
    if (typeof name !== 'string') return;
    this.#write(`</${name}>`);
    const text = this.#text.trim();
    this.#text = '';
    if (text === '' || this.#texts.length >= MAX_PROPERTIES) return;
    if (this.#language === 'x-default') this.#texts.unshift(text);
    else this.#texts.push(text);
  }

  property(): Property {
    return { xml: this.#xml.join(''), texts: this.#texts, namespaces: this.#namespaces };
  }

  #write(piece: string): void {
    if (this.#xml.push(piece) >= MAX_PIECES) this.#xml = [this.#xml.join('')];
  }

  #declare(named: Named): string {
    const name = nameOf(named, this.#prefixes);
    this.#namespaces.set(name.slice(0, name.indexOf(':')), named.uri);
    return name;
  }
}
