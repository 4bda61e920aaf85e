import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// V8 counts bytes outside of its heap late: what a document leaves behind while it passes would add up to tens of megabytes before it looks.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (how: { readonly type: 'minor' }) => void;

/** bytes after which their buffers are collected; a collection of what is young takes about a millisecond */
const often = 4 * 1024 * 1024;
let passed = 0;

/** To be told of the bytes of a document that went through this process and are not needed any more. */
export const havePassed = (bytes: number): void => {
  passed += bytes;
  if (passed < often) return;
  passed = 0;
  collect({ type: 'minor' });
};
