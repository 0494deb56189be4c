/** XMP as XML text (ISO 16684-1). */

/** A property of an XMP packet. */
export interface Property {
  readonly xml: string;
  /** Its text, the items of its list, or its languages with the default first. */
  readonly texts: readonly string[];
  /** The namespaces in its XML by prefix. */
  readonly namespaces: ReadonlyMap<string, string>;
}

export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
export const XML = 'http://www.w3.org/XML/1998/namespace';

/** Namespaces of Adobe, Exif, IPTC and others, by their usual prefixes. */
export const NAMESPACES = {
  rdf: RDF,
  dc: 'http://purl.org/dc/elements/1.1/',
  xmp: 'http://ns.adobe.com/xap/1.0/',
  xmpRights: 'http://ns.adobe.com/xap/1.0/rights/',
  xmpGImg: 'http://ns.adobe.com/xap/1.0/g/img/',
  xmpNote: 'http://ns.adobe.com/xmp/note/',
  photoshop: 'http://ns.adobe.com/photoshop/1.0/',
  tiff: 'http://ns.adobe.com/tiff/1.0/',
  exif: 'http://ns.adobe.com/exif/1.0/',
  exifEX: 'http://cipa.jp/exif/1.0/',
  aux: 'http://ns.adobe.com/exif/1.0/aux/',
  Iptc4xmpCore: 'http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/',
  plus: 'http://ns.useplus.org/ldf/xmp/1.0/',
  cc: 'http://creativecommons.org/ns#',
  hdrgm: 'http://ns.adobe.com/hdr-gain-map/1.0/',
  Container: 'http://ns.google.com/photos/1.0/container/',
} as const;

export const PREFIXES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMESPACES).map(([prefix, uri]) => [uri, prefix]),
);

/** Control characters other than tabs and line ends, and all characters that XML 1.0 forbids. */
const CONTROLS = /[^\t\n\r -~\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

export const withoutControls = (text: string): string => text.replace(CONTROLS, '');

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' },
};

export const escaped = (text: string): string =>
  withoutControls(text).replace(/[&<>"\r]/g, (each) => ESCAPES[each]!);

/** A property of one text. `uri` is the namespace of a prefix that is not in NAMESPACES. */
export function rdfText(name: string, text: string, uri?: string): Property {
  return property(name, escaped(text), [text.trim()], uri);
}

/** A text in one language, which is the default. */
export function rdfAlternative(name: string, text: string): Property {
  const item = `<rdf:li xml:lang="x-default">${escaped(text)}</rdf:li>`;
  return property(name, `<rdf:Alt>${item}</rdf:Alt>`, [text]);
}

/** A list of texts: `Seq` is ordered, `Bag` is not. */
export function rdfList(name: string, kind: 'Seq' | 'Bag', texts: readonly string[]): Property {
  const items = texts.map((text) => `<rdf:li>${escaped(text)}</rdf:li>`).join('');
  return property(name, `<rdf:${kind}>${items}</rdf:${kind}>`, texts);
}

function property(name: string, content: string, texts: readonly string[], uri?: string): Property {
  const prefix = name.slice(0, name.indexOf(':'));
  const known: Readonly<Record<string, string>> = NAMESPACES;
  const namespaces = new Map([
    ['rdf', RDF],
    [prefix, uri ?? known[prefix] ?? ''],
  ]);
  return { xml: `<${name}>${content}</${name}>`, texts, namespaces };
}

/** Writes a packet of these properties; null without any. */
export function xmpPacket(properties: readonly Property[]): Buffer | null {
  if (properties.length === 0) return null;
  const namespaces = new Map(properties.flatMap((one) => [...one.namespaces]));
  namespaces.delete('rdf');
  const declared = [...namespaces].map(([prefix, uri]) => ` xmlns:${prefix}="${escaped(uri)}"`).join('');
  return Buffer.from(
    [
      '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}">`,
      `<rdf:Description rdf:about=""${declared}>`,
      ...properties.map(({ xml }) => xml),
      '</rdf:Description></rdf:RDF></x:xmpmeta>',
      '<?xpacket end="r"?>',
    ].join('\n'),
  );
}
