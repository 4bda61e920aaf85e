import PDFDocument from 'pdfkit';

/** A printed page as data: a title, and blocks of text or of labelled lines. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'lines'; readonly lines: readonly (readonly [string, string])[] };

export type Page = { readonly title: string; readonly blocks: readonly Block[]; readonly footer: string };

const sizes = { title: 18, heading: 13, text: 11, footer: 9 } as const;

const draw = (document: PDFKit.PDFDocument, block: Block): void => {
  if (block.kind === 'heading') {
    document.moveDown(0.8).font('Helvetica-Bold').fontSize(sizes.heading).text(block.text).moveDown(0.3);
    return;
  }
  document.fontSize(sizes.text);
  if (block.kind === 'text') {
    document.font('Helvetica').text(block.text).moveDown(0.4);
    return;
  }
  for (const [label, value] of block.lines)
    document.font('Helvetica-Bold').text(`${label}: `, { continued: true }).font('Helvetica').text(value);
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
    document.font('Helvetica-Bold').fontSize(sizes.title).text(page.title).moveDown(0.5);
    for (const block of page.blocks) draw(document, block);
    document.moveDown(1.5).font('Helvetica').fontSize(sizes.footer).text(page.footer);
    document.end();
  });
