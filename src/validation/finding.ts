import type { Issue } from '../fhir/outcome.js';

/** An issue that says whether R4 itself is broken (`base`) or a rule that a profile, extension or national rule adds (`profile`). */
export type Finding = Issue & { readonly layer: 'base' | 'profile' };

export const isError = ({ severity }: Issue): boolean => severity === 'error' || severity === 'fatal';
