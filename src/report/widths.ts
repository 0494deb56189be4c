import stringWidth from 'string-width';
import { measureWith } from './text.ts';

/** From here on every text is measured. What draws again and again imports this, a page only when it must. */
measureWith(stringWidth);
