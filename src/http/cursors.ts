import { createHmac, timingSafeEqual } from 'node:crypto';
import { failure } from '../fhir/outcome.js';

/** Signs paging positions, so that a client can neither make nor edit one. */
export const createCursors = (secret: Buffer) => {
  const mac = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url').slice(0, 22);
  return {
    signCursor: (position: string): string => `${position}.${mac(position)}`,
    openCursor: (cursor: string): string => {
      const [position = '', signature = ''] = cursor.split('.');
      const expected = mac(position);
      if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected)))
        throw failure('invalid', 'value', 'The cursor is not one of this server: follow the next link as it is.', {
          expression: ['_cursor'],
        });
      return position;
    },
  };
};
