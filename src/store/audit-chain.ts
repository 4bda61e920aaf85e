import { createHash } from 'node:crypto';
import type { AuditLink } from './port.js';

type Head = { readonly number: number; readonly hash: string };

/** The hash of a link: over the chain's name, the number, the hash of the link before and the body. */
export const linkHash = (chain: string, number: number, before: string, body: string): string =>
  createHash('sha256')
    .update(`${chain}\n${String(number)}\n${before}\n`)
    .update(body)
    .digest('hex');

/**
 * The head of one audit chain, held by whoever writes it alone: a writer thread, or a connection of a pool. A unit that is rolled back
 * takes its link with it: `reset` to the head before.
 */
export class AuditChain {
  private head: Head = { number: 0, hash: '' };

  /** @param name unique to this writer: no chain is ever continued by another process */
  constructor(readonly name: string) {}

  append(lines: readonly string[]): AuditLink {
    const body = lines.join('\n');
    const number = this.head.number + 1;
    const hash = linkHash(this.name, number, this.head.hash, body);
    this.head = { number, hash };
    return { chain: this.name, number, hash, body };
  }

  mark(): Head {
    return this.head;
  }

  reset(head: Head): void {
    this.head = head;
  }
}
