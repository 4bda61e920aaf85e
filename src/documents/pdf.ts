import { createRequire } from 'node:module';
import { openSync } from 'fontkit';
import PDFDocument from 'pdfkit';

/** A printed page as data: a title, and blocks of text or of labelled lines. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'lines'; readonly lines: readonly (readonly [string, string])[] };

export type Page = { readonly title: string; readonly blocks: readonly Block[]; readonly footer: string };

const sizes = { title: 18, heading: 13, text: 11, footer: 9 } as const;

// pdfkit takes a font that is open too, which its types leave out
type Font = Parameters<PDFKit.PDFDocument['font']>[0];
type Fonts = Readonly<Record<'plain' | 'bold', Font>>;

// the fonts that every reader of PDF has know WinAnsiEncoding alone (ISO 32000-1 annex D), and garble a text with anything else in it
const winAnsi = /^[\n\r -~\u00A0-\u00FFŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]*$/;
const everywhere: Fonts = { plain: 'Helvetica', bold: 'Helvetica-Bold' };

const require = createRequire(import.meta.url);
/** The letters of Europe, Greek, Cyrillic, signs and arrows. */
const wideFiles = {
  plain: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
  bold: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
} as const;

let opened: Fonts | undefined;
/** Opened once: that takes ten times as long as to print with them. What they lack is printed as an empty box. */
const wide = (): Fonts => {
  const open = (file: string): Font => openSync(file) as unknown as Font;
  return (opened ??= { plain: open(wideFiles.plain), bold: open(wideFiles.bold) });
};

/** What has no form on paper: tabs and other controls. */
const unprinted = /[^\P{Cc}\n\r]/gu;
const printed = (text: string): string => text.normalize('NFC').replace(unprinted, ' ');

const textsOf = ({ title, blocks, footer }: Page): readonly string[] => [
  title,
  footer,
  ...blocks.flatMap((block) => (block.kind === 'lines' ? block.lines.flat() : [block.text])),
];

const draw = (document: PDFKit.PDFDocument, fonts: Fonts, block: Block): void => {
  if (block.kind === 'heading') {
    document.moveDown(0.8).font(fonts.bold).fontSize(sizes.heading).text(printed(block.text)).moveDown(0.3);
    return;
  }
  document.fontSize(sizes.text);
  if (block.kind === 'text') {
    document.font(fonts.plain).text(printed(block.text)).moveDown(0.4);
    return;
  }
  for (const [label, value] of block.lines)
    document
      .font(fonts.bold)
      .text(`${printed(label)}: `, { continued: true })
      .font(fonts.plain)
      .text(printed(value));
};

/** The page as PDF. `now` (epoch ms) is its creation date: the same page at the same time is the same bytes. */
export const pdfOf = (page: Page, now: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const date = new Date(now);
    const document = new PDFDocument({ size: 'A4', margin: 56, info: { Title: page.title, CreationDate: date, ModDate: date } });
    const chunks: Buffer[] = [];
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => {
      resolve(new Uint8Array(Buffer.concat(chunks)));
    });
    document.on('error', reject);
    const fonts = textsOf(page).every((text) => winAnsi.test(printed(text))) ? everywhere : wide();
    document.font(fonts.bold).fontSize(sizes.title).text(printed(page.title)).moveDown(0.5);
    for (const block of page.blocks) draw(document, fonts, block);
    document.moveDown(1.5).font(fonts.plain).fontSize(sizes.footer).text(printed(page.footer));
    document.end();
  });
