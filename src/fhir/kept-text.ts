/** A text that several answers share. From the second of them on it is sent as bytes that were made once: to join and encode it takes longer than to find it. */
export class KeptText {
  private shown = false;
  private made: Buffer | undefined;

  constructor(readonly text: string) {}

  /** Undefined for the first answer: many a text is shown once. */
  bytes(): Buffer | undefined {
    if (!this.shown) {
      this.shown = true;
      return undefined;
    }
    return (this.made ??= Buffer.from(this.text));
  }
}

/** The wire text of an answer around one that is kept. */
export type Around = { readonly head: string; readonly kept: KeptText; readonly end: string };
