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

const unsafeUrl = /^\s*(?:javascript|vbscript|data(?!:image\/)):?/i;

type Fault = string | undefined;

const attributeFault = (name: string, value: string): Fault => {
  if (!attributes.has(name)) return `has the attribute '${name}', which a narrative may not have`;
  if ((name === 'href' || name === 'src') && unsafeUrl.test(value)) return `has a ${name} that would run a script`;
  return undefined;
};

/** What is wrong with the XHTML of a narrative; undefined when it is safe and says something. */
export const narrativeFault = (xhtml: string): Fault => {
  let fault: Fault;
  let depth = 0;
  let content = false;
  const note = (found: Fault): void => {
    fault ??= found;
  };
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
    if (text.trim() !== '') content = true;
  });
  parser.on('opentag', ({ name, attributes: given }) => {
    depth++;
    if (depth === 1 && name !== 'div') note('must be a <div>');
    if (depth === 1 && given['xmlns'] !== 'http://www.w3.org/1999/xhtml') note('must be in the namespace http://www.w3.org/1999/xhtml');
    if (name === 'img') content = true;
    if (!elements.has(name)) note(`has the element <${name}>, which a narrative may not have`);
    for (const [key, value] of Object.entries(given)) note(attributeFault(key, value));
  });
  parser.on('closetag', () => {
    depth--;
  });
  // the entities of HTML that XML does not have
  parser.write(xhtml.replaceAll(/&(?!amp;|lt;|gt;|quot;|apos;|#)\w+;/g, ' ')).close();
  return fault ?? (content ? undefined : 'says nothing: text or an image is required');
};

/** txt-1 and txt-2 of R4. */
export const narrativeCheck: Check = (walk, value) => {
  if (typeof value !== 'string') return;
  const fault = narrativeFault(value);
  if (fault !== undefined) walk.error('invariant', `the narrative ${fault}`, fault.startsWith('says') ? 'txt-2' : 'txt-1');
};
