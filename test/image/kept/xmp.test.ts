import { describe, expect, it } from 'vitest';
import { rdfAlternative, rdfList, rdfText, xmpPacket } from '../../../src/image/kept/xml.ts';
import { xmpIn } from '../../../src/image/kept/xmp.ts';
import { packetOf } from './packets.ts';

const all = () => true;
const textsOf = (packet: Buffer, name: string) => xmpIn(packet, all).get(name)?.texts;

describe('a packet that is written', () => {
  it('gives back its texts, lists and languages, with every character of Unicode', () => {
    const rights = '© Ä 日本 🎉 <b>&"quoted"</b>';
    const properties = [
      rdfAlternative('dc:rights', rights),
      rdfList('dc:creator', 'Seq', ['Anna', 'Ödön']),
      rdfText('photoshop:Credit', 'a\tb\nc'),
    ];
    const packet = xmpPacket(properties)!;
    expect(textsOf(packet, 'dc:rights')).toEqual([rights]);
    expect(textsOf(packet, 'dc:creator')).toEqual(['Anna', 'Ödön']);
    expect(textsOf(packet, 'photoshop:Credit')).toEqual(['a\tb\nc']);
  });

  it('has no control characters, whatever its texts have', () => {
    const packet = xmpPacket([rdfText('dc:source', 'a\0b\x01c\x7fd\x85e\ud800f')])!;
    expect(textsOf(packet, 'dc:source')).toEqual(['abcdef']);
  });

  it('is read and written again with the same properties', () => {
    const inner =
      '<dc:rights><rdf:Alt><rdf:li xml:lang="de">Deutsch</rdf:li><rdf:li xml:lang="x-default">Default</rdf:li></rdf:Alt></dc:rights>' +
      '<own:thing xmlns:own="urn:own" rdf:parseType="Resource"><own:part>1</own:part></own:thing>';
    const once = xmpIn(packetOf(inner), all);
    const twice = xmpIn(xmpPacket([...once.values()])!, all);
    expect([...twice.keys()]).toEqual(['dc:rights', 'own:thing']);
    expect([...twice]).toEqual([...once]);
    expect(once.get('dc:rights')?.texts).toEqual(['Default', 'Deutsch']);
  });
});

describe('a packet of another program', () => {
  it('may have properties as attributes, another prefix and a link', () => {
    const packet = packetOf(
      '<cc:license rdf:resource="https://a.example/by"/>',
      'd:format="image/jpeg" xmlns:d="http://purl.org/dc/elements/1.1/"',
    );
    expect(textsOf(packet, 'dc:format')).toEqual(['image/jpeg']);
    expect(textsOf(packet, 'cc:license')).toEqual(['https://a.example/by']);
  });

  it('keeps properties of namespaces apart, whatever prefixes it has', () => {
    const own = ['a', 'a', 'ns17', 'ns18', 'ns19', 'a'].map((prefix, i) => {
      return `<${prefix}:p xmlns:${prefix}="urn:${i}">${i}</${prefix}:p>`;
    });
    const found = [...xmpIn(packetOf(own.join('')), all).values()];
    expect(found.map(({ texts }) => texts[0])).toEqual(['0', '1', '2', '3', '4', '5']);
    const again = xmpIn(xmpPacket(found)!, all);
    expect([...again.values()].map(({ texts }) => texts[0])).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('gives only the wanted properties', () => {
    const packet = packetOf('<dc:rights>a</dc:rights><dc:title>b</dc:title>');
    expect([...xmpIn(packet, (name) => name === 'dc:title').keys()]).toEqual(['dc:title']);
  });

  it('loses the pictures inside its properties', () => {
    const packet = packetOf(
      '<xmp:Other><xmpGImg:image>/9j/SECRET</xmpGImg:image><dc:type>kept</dc:type></xmp:Other>',
    );
    const { xml = '' } = xmpIn(packet, all).get('xmp:Other') ?? {};
    expect(xml).toContain('kept');
    expect(xml).not.toMatch(/SECRET|xmpGImg/);
  });

  it('may have bytes that are no UTF-8, and padding of NUL', () => {
    const packet = Buffer.concat([packetOf('<dc:rights>M?ine</dc:rights>'), Buffer.alloc(100)]);
    packet[packet.indexOf('?ine')] = 0xff;
    expect(textsOf(packet, 'dc:rights')).toEqual(['M\ufffdine']);
  });

  it.each([
    ['a tag that is not closed', '<dc:rights>', /Unexpected close tag|Unclosed/],
    ['an entity of its own', '<dc:rights>&own;</dc:rights>', /entity/],
    ['deep nesting', '<rdf:li>'.repeat(1000), /levels/],
    [
      'very many properties',
      Array.from({ length: 10_001 }, (_, i) => `<dc:p${i}>a</dc:p${i}>`).join(''),
      /properties/,
    ],
    [
      'very many namespaces',
      Array.from({ length: 1001 }, (_, i) => `<own:p xmlns:own="urn:${i}"/>`).join(''),
      /namespaces/,
    ],
    [
      'very many attributes',
      `<dc:a ${Array.from({ length: 10_001 }, (_, i) => `dc:a${i}="b"`).join(' ')}/>`,
      /attributes/,
    ],
    [
      'a huge tag',
      `<dc:a ${Array.from({ length: 60_000 }, (_, i) => `dc:a${i}="b"`).join(' ')}/>`,
      /tag of more than/,
    ],
  ])('is refused with %s', (_, inner, message) => {
    expect(() => xmpIn(packetOf(inner), all)).toThrow(message);
  });
});
