import { NAMESPACES } from '../../../src/image/kept/xml.ts';

/** An XMP packet with this XML and these attributes in its description. */
export function packetOf(inner: string, attributes = ''): Buffer {
  const declared = Object.entries(NAMESPACES).map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`);
  return Buffer.from(
    `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ${declared.join(' ')}>` +
      `<rdf:Description rdf:about="" ${attributes}>${inner}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`,
  );
}

/** An IPTC-IIM block in UTF-8 of datasets in record 2. */
export function iptcOf(datasets: readonly (readonly [number: number, text: string])[]): Buffer {
  const one = (record: number, dataset: number, value: Buffer) => {
    const head = Buffer.from([0x1c, record, dataset, value.length >> 8, value.length & 0xff]);
    return Buffer.concat([head, value]);
  };
  const all = datasets.map(([dataset, text]) => one(2, dataset, Buffer.from(text)));
  return Buffer.concat([one(1, 90, Buffer.from('\x1b%G')), ...all]);
}

/** A JPEG with these segments behind its start. */
export function withSegments(
  jpeg: Buffer,
  segments: readonly (readonly [marker: number, content: Buffer])[],
): Buffer {
  const made = segments.map(([marker, content]) => {
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(content.length + 2, 2);
    return Buffer.concat([head, content]);
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...made, jpeg.subarray(2)]);
}
