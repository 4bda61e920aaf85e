declare module '@lhncbc/ucum-lhc' {
  export type Unit = {
    readonly magnitude_: number;
    readonly dim_?: { readonly dimVec_: readonly number[] | null };
    readonly isSpecial_: boolean;
    readonly isArbitrary_: boolean;
    readonly cnv_: string | null;
  };
  export class UcumLhcUtils {
    static getInstance(): UcumLhcUtils;
    validateUnitString(text: string): { readonly status: 'valid' | 'invalid' | 'error' };
    getSpecifiedUnit(name: string, mode: 'validate'): { readonly unit: Unit | null };
  }
}
