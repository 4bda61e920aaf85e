import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { failure } from '../fhir/outcome.js';
import { Stale, type Store } from '../store/port.js';

/** The key that signs cursors: one for all processes that share the store, made by the first; a next link may be followed on another. */
export const cursorKey = async (store: Pick<Store, 'findEntry' | 'commit'>): Promise<Buffer> => {
  const kept = async () => store.findEntry('cursor-key', 'cursor');
  if (!(await kept())) {
    const body = JSON.stringify(randomBytes(32).toString('base64url'));
    try {
      await store.commit({ entries: [{ kind: 'cursor-key', key: 'cursor', version: 0, body }] });
    } catch (error) {
      if (!(error instanceof Stale)) throw error;
    }
  }
  return Buffer.from(JSON.parse((await kept())?.body ?? '""') as string, 'base64url');
};

/** Signs paging positions for what they belong to, so that a client can neither make nor edit one, nor take it to another query. */
export const createCursors = (secret: Buffer) => {
  const mac = (position: string, of: string): string =>
    createHmac('sha256', secret).update(`${position}\n${of}`).digest('base64url').slice(0, 22);
  return {
    signCursor: (position: string, of: string): string => `${position}.${mac(position, of)}`,
    openCursor: (cursor: string, of: string): string => {
      const [position = '', signature = ''] = cursor.split('.');
      const expected = mac(position, of);
      if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected)))
        throw failure('invalid', 'value', 'The cursor is not one of this query: follow the next link as it is.', {
          expression: ['_cursor'],
        });
      return position;
    },
  };
};
