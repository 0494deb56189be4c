/** EXIF holds text in ASCII. */

/** Characters that have another form in ASCII than their letter without its marks. */
const FORMS: Readonly<Record<string, string>> = {
  ...{ '©': '(c)', '®': '(r)', '℗': '(p)', '€': 'EUR', '£': 'GBP', '¥': 'JPY' },
  ...{
    ß: 'ss',
    æ: 'ae',
    Æ: 'AE',
    œ: 'oe',
    Œ: 'OE',
    ø: 'o',
    Ø: 'O',
    ł: 'l',
    Ł: 'L',
    đ: 'd',
    Đ: 'D',
    þ: 'th',
    Þ: 'Th',
    ð: 'd',
    ı: 'i',
  },
  ...{ '–': '-', '—': '-', '‘': "'", '’': "'", '“': '"', '”': '"', '«': '"', '»': '"', '·': '-', '•': '-' },
};

/**
 * The text in ASCII: letters without their marks, `(c)` for ©, `?` for what has no form. Undefined when no letter or digit
 * is left.
 */
export function asciiOf(text: string): string | undefined {
  const plain = text
    .replace(/[^ -~]/gu, (each) => FORMS[each] ?? each)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/\s/gu, ' ')
    .replace(/\p{C}/gu, '')
    .replace(/[^ -~]/gu, '?')
    .trim();
  return /[A-Za-z0-9]/.test(plain) ? plain : undefined;
}
