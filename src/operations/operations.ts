import { ersOperations } from './ers/ers-operations.js';
import { everythingOperation } from './everything.js';
import { exportOperation } from './export.js';
import { importOperation } from './import.js';
import { metaAddOperation, metaDeleteOperation, metaOperation } from './meta.js';
import { versionsOperation } from './versions.js';
import type { Operation } from './operation.js';
import { terminologyOperations } from './terminology/terminology-operations.js';
import { translateOperation } from './translate.js';
import { validateOperation } from './validate.js';

/** Every operation offered; the CapabilityStatement and the dispatcher read this list. */
export const operations: readonly Operation[] = [
  ...ersOperations,
  everythingOperation,
  metaOperation,
  metaAddOperation,
  metaDeleteOperation,
  exportOperation,
  importOperation,
  versionsOperation,
  validateOperation,
  ...terminologyOperations,
  translateOperation,
];

/** The operation `code` (without `$`) as offered on the system, a type or an instance; undefined when it is not offered there. */
export const findOperation = (
  code: string,
  at: { readonly type?: string | undefined; readonly id?: string | undefined },
): Operation | undefined =>
  operations.find(({ definition }) => {
    if (definition.code !== code) return false;
    if (at.type === undefined) return definition.system;
    const onType = definition.resource?.includes('Resource') === true || definition.resource?.includes(at.type) === true;
    return onType && (at.id === undefined ? definition.type : definition.instance);
  });
