import type { Scale } from '../demo/scales.js';
import type { Packed } from './packed.js';

/** What a maker of a scale's data is started with. */
export type MakerStart = {
  readonly seed: number;
  readonly scale: Exclude<Scale, 'small'>;
  /** YYYY-MM-DD */
  readonly since: string;
  readonly timeZone: string;
  readonly dataDir: string;
};
export type PartKind = 'patients' | 'diaries' | 'referrals';
/** A part to make; `go` lets the maker send one more batch. */
export type ToMaker =
  | { readonly kind: 'part'; readonly part: PartKind; readonly from: number; readonly until: number }
  | { readonly kind: 'go' }
  | { readonly kind: 'stop' };
export type FromMaker =
  | { readonly kind: 'ready'; readonly parts: Readonly<Record<PartKind, number>> }
  | { readonly kind: 'batch'; readonly items: Packed }
  | { readonly kind: 'done' };
