import type { Operation } from '../operation.js';
import { expandOperation } from './expand.js';
import { codeSystemOperations } from './lookup.js';
import { validateCodeOperations } from './validate-code.js';

/** R4 valueset-operations and codesystem-operations, on what is known here and on what is kept here as resources. */
export const terminologyOperations: readonly Operation[] = [expandOperation, ...validateCodeOperations, ...codeSystemOperations];
