import { SaxesParser } from 'saxes';
import type { Check } from './shapes.js';

// R4 narrative.html#xhtml: the basic formatting elements of chapters 7 to 11 (without head and body) and 15 of HTML 4.0, links, images
const elements = new Set(
  (
    'a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li map area ' +
    'ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var'
  ).split(' '),
);

const attributes = new Set(
  (
    'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class colspan compact coords dir ' +
    'frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title ' +
    'type valign value vspace width xml:lang xmlns xml:space'
  ).split(' '),
);

// a page that begins with such a word, as datatypes.html does, is none; white space within a scheme means nothing to a browser
const unsafeUrl = /^(?:javascript|vbscript):|^data:(?!image\/)/i;

type Fault = string | undefined;

const attributeFault = (name: string, value: string): Fault => {
  if (!attributes.has(name)) return `has the attribute '${name}', which a narrative may not have`;
  if ((name === 'href' || name === 'src') && unsafeUrl.test(value.replace(/[\s\p{Cc}]/gu, '')))
    return `has a ${name} that would run a script`;
  return undefined;
};

const namespace = 'http://www.w3.org/1999/xhtml';

const rootFault = (name: string, xmlns: string | undefined): Fault => {
  if (name !== 'div') return 'must be a <div>';
  return xmlns === namespace ? undefined : `must be in the namespace ${namespace}`;
};

const elementFault = (name: string): Fault =>
  elements.has(name) ? undefined : `has the element <${name}>, which a narrative may not have`;

const nothing = 'says nothing: text or an image is required';

/** No narrative of use nests deeper. */
const deepestElement = 200;

const tooDeep = `nests more than ${deepestElement} elements`;

/** The first fault ends the reading: a hostile text may have a million. */
class Faulty extends Error {
  override readonly name = 'Faulty';
}

const note = (found: Fault): void => {
  if (found !== undefined) throw new Faulty(found);
};

/** A full parser: slower, and able to say what is not well-formed. */
const parsedFault = (xhtml: string): Fault => {
  let depth = 0;
  const seen = { content: false };
  const parser = new SaxesParser({ xmlns: false });
  parser.on('error', (error) => {
    note(`is not well-formed XHTML: ${error.message.replace(/^\d+:\d+: /, '')}`);
  });
  parser.on('doctype', () => {
    note('has a document type declaration');
  });
  parser.on('processinginstruction', () => {
    note('has a processing instruction');
  });
  parser.on('text', (text) => {
    if (text.trim() !== '') seen.content = true;
  });
  parser.on('opentag', ({ name, attributes: given }) => {
    if (depth === 0) note(rootFault(name, given['xmlns']));
    depth++;
    if (depth > deepestElement) note(tooDeep);
    if (name === 'img') seen.content = true;
    note(elementFault(name));
    for (const [key, value] of Object.entries(given)) note(attributeFault(key, value));
  });
  parser.on('closetag', () => {
    depth--;
  });
  // the entities of HTML that XML does not have
  try {
    parser.write(xhtml.replaceAll(/&(?!amp;|lt;|gt;|quot;|apos;|#)\w+;/g, ' ')).close();
  } catch (error) {
    if (error instanceof Faulty) return error.message;
    throw error;
  }
  return seen.content ? undefined : nothing;
};

const tag = /<(\/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[\w:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const attribute = /([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const strayAmpersand = /&(?!(?:\w+|#\d+|#x[\da-fA-F]+);)/;

const attributesFault = (text: string, root: boolean): Fault => {
  let xmlns: string | undefined;
  for (const [, name = '', double, quoted] of text.matchAll(attribute)) {
    const value = double ?? quoted ?? '';
    if (name === 'xmlns') xmlns = value;
    const fault = attributeFault(name, value);
    if (fault !== undefined) return fault;
  }
  return root ? rootFault('div', xmlns) : undefined;
};

/** What is wrong with the XHTML of a narrative; undefined when it is safe and says something. Unusual text goes to the full parser. */
export const narrativeFault = (xhtml: string): Fault => {
  if (strayAmpersand.test(xhtml)) return parsedFault(xhtml);
  const open: string[] = [];
  let content = false;
  for (let at = 0; at < xhtml.length;) {
    const next = xhtml.indexOf('<', at);
    const end = next < 0 ? xhtml.length : next;
    const blank = end === at || xhtml.slice(at, end).trim() === '';
    if (!blank && open.length === 0) return parsedFault(xhtml);
    content ||= !blank;
    if (next < 0) break;
    tag.lastIndex = next;
    const match = tag.exec(xhtml);
    if (match === null) return parsedFault(xhtml);
    const [, closing, name = '', given = '', empty] = match;
    const root = open.length === 0;
    if (closing === '/') {
      if (open.pop() !== name || given !== '' || empty === '/') return parsedFault(xhtml);
    } else {
      if (root && (next > 0 || name !== 'div')) return parsedFault(xhtml);
      const fault = elementFault(name) ?? (given === '' && !root ? undefined : attributesFault(given, root));
      if (fault !== undefined) return fault;
      content ||= name === 'img';
      if (empty !== '/') open.push(name);
      if (open.length > deepestElement) return tooDeep;
    }
    at = tag.lastIndex;
  }
  if (open.length > 0) return parsedFault(xhtml);
  return content ? undefined : nothing;
};

/** txt-1 and txt-2 of R4. */
export const narrativeCheck: Check = (walk, value) => {
  if (typeof value !== 'string') return;
  const fault = narrativeFault(value);
  if (fault !== undefined) walk.error('invariant', `the narrative ${fault}`, fault === nothing ? 'txt-2' : 'txt-1');
};
