import sax, { type QualifiedTag } from 'sax';
import { escaped, NAMESPACES, PREFIXES, type Property, RDF, rdfText, XML } from './xml.ts';

/** Properties by name, such as `dc:rights`. */
export type Xmp = ReadonlyMap<string, Property>;

/** The most characters of one value. The parser has the same limit for an attribute. */
const MAX_TEXT = 65_536;
/** The most characters of one tag with its attributes. */
const MAX_TAG = 4 * MAX_TEXT;
/** The most properties, the most texts of one property, and the most attributes of one tag. */
const MAX_PROPERTIES = 10_000;
/** The most namespaces: pictures have about twenty. */
const MAX_NAMESPACES = 1000;
/** The most pieces of XML before they become one text: each costs memory of its own. */
const MAX_PIECES = 4096;
/** The deepest nesting: structures in lists in structures have about ten levels. */
const MAX_DEPTH = 64;
/** Bytes that are parsed at a time. */
const PIECE = 65_536;

/**
 * Reads the properties of an XMP packet (ISO 16684-1) that are `wanted`. Of others, only the namespaces take memory. No
 * entity beyond those of XML is known, so none can grow. Throws for XML that is not well-formed.
 */
export function xmpIn(packet: Buffer, wanted: (name: string) => boolean): Xmp {
  const found = new Map<string, Property>();
  const namespaces = new Namespaces();
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
    // The parser compares each attribute with all before.
    if (Object.keys(element.attributes).length > MAX_PROPERTIES)
      throw new Error(`more than ${MAX_PROPERTIES} attributes`);
    if (reading === null && isInDescription()) {
      const name = namespaces.nameOf(element);
      if (isNew(name)) reading = new Reading(name, open.length, namespaces);
    }
    open.push(element.uri + element.local);
    if (open.length > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} levels`);
    if (reading !== null) reading.start(element);
    else if (isInDescription()) {
      for (const attribute of Object.values(element.attributes)) {
        const { prefix, uri, value } = attribute;
        if (uri === RDF || uri === XML || prefix === '' || prefix === 'xmlns') continue;
        const own = namespaces.nameOf(attribute);
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

type XmlName = { readonly prefix: string; readonly local: string; readonly uri: string };

/** Gives each namespace one prefix: its usual one, else its own in the packet if no other namespace has that. */
class Namespaces {
  readonly #prefixes = new Map(PREFIXES);
  readonly #taken = new Set(PREFIXES.values());

  nameOf({ prefix, local, uri }: XmlName): string {
    let known = this.#prefixes.get(uri);
    if (known === undefined) {
      // A prefix like those that are made here could be made later.
      const isFree = prefix !== '' && !/^ns\d+$/.test(prefix) && !this.#taken.has(prefix);
      known = isFree ? prefix : `ns${this.#prefixes.size}`;
      this.#prefixes.set(uri, known);
      this.#taken.add(known);
      if (this.#taken.size > MAX_NAMESPACES) throw new Error(`more than ${MAX_NAMESPACES} namespaces`);
    }
    return `${known}:${local}`;
  }
}

/** Pictures inside a property, which are thumbnails. */
const PICTURES = NAMESPACES.xmpGImg;

/** One property while it is read. */
class Reading {
  readonly name: string;
  /** Number of elements around it. */
  readonly depth: number;
  readonly #names: Namespaces;
  #xml = '';
  #pieces: string[] = [];
  readonly #namespaces = new Map<string, string>();
  readonly #texts: string[] = [];
  /** Names of its open elements; null for those that are left out. */
  readonly #open: (string | null)[] = [];
  #text = '';
  #language = '';

  constructor(name: string, depth: number, names: Namespaces) {
    this.name = name;
    this.depth = depth;
    this.#names = names;
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
    return { xml: this.#xml + this.#pieces.join(''), texts: this.#texts, namespaces: this.#namespaces };
  }

  #write(piece: string): void {
    if (this.#pieces.push(piece) < MAX_PIECES) return;
    this.#xml += this.#pieces.join('');
    this.#pieces = [];
  }

  #declare(named: XmlName): string {
    const name = this.#names.nameOf(named);
    this.#namespaces.set(name.slice(0, name.indexOf(':')), named.uri);
    return name;
  }
}
