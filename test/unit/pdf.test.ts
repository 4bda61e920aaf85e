import { pdfOf } from '../../src/documents/pdf.js';
import { streamsOf } from '../helpers/pdf.js';

const hex = (text: string): string => Array.from(text, (letter) => (letter.codePointAt(0) ?? 0).toString(16).padStart(4, '0')).join('');
const page = (text: string) => ({ title: 'Letter', blocks: [{ kind: 'text' as const, text }], footer: '' });

it('prints letters beyond Latin-1, which the page names for who copies or reads them aloud', async () => {
  const text = 'Łukasz ≥ 6.5 β→';
  const streams = await pdfOf(page(text), 0).then(streamsOf);
  // ISO 32000-1 9.10.3: what each glyph means
  const meaning = streams.filter((stream) => stream.includes('beginbfrange') || stream.includes('beginbfchar')).join('');
  for (const letter of text.replaceAll(' ', '')) expect(meaning.toLowerCase()).toContain(`<${hex(letter)}>`);
});

// ISO 32000-1 annex D.2
const own: Readonly<Record<string, string>> = { '“': '93', '”': '94', '–': '96', '€': '80' };
const inWinAnsi = (letter: string): string => own[letter] ?? (letter.codePointAt(0) ?? 0).toString(16).padStart(2, '0');

it.each(['Zoë said “5 µg – no more” for £5 or €6', 'a tab\there'])('prints %j in the fonts that every reader has', async (text) => {
  const shown = (await pdfOf(page(text), 0).then(streamsOf)).find((stream) => stream.includes('Tf')) ?? '';
  const written = [...shown.matchAll(/<([0-9a-f]+)>/g)].map(([, digits = '']) => digits).join('');
  expect(written).toContain(Array.from(text.replace('\t', ' '), inWinAnsi).join(''));
});
