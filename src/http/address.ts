import { BlockList, isIP } from 'node:net';
import type { Request } from '@hapi/hapi';

const versionOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
/** An IPv4 client of a socket for both versions is written as IPv6. */
const plain = (address: string): string => address.replace(/^::ffff:(?=[0-9.]+$)/i, '');

/** The eight groups of an IPv6 address that name its network, the first four. */
const networkOf = (address: string): string => {
  const [head = '', tail = ''] = address.split('::');
  const [front, back] = [head.split(':').filter(Boolean), tail.split(':').filter(Boolean)];
  const middle = address.includes('::') ? Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0') : [];
  return [...front, ...middle, ...back].slice(0, 4).join(':').toLowerCase();
};

/** Finds the address that a request came from; an IPv6 one by its network, as one client has 2^64 of them. */
export type AddressFinder = (request: Request) => string;

/**
 * @param proxies addresses and networks (a/n) of proxies whose `X-Forwarded-For` is believed; nobody else's is. Throws for what is neither.
 */
export const addressFinder = (proxies: readonly string[]): AddressFinder => {
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    if (isIP(address) === 0) throw new Error(`${proxy} is no address or network`);
    if (bits === undefined) trusted.addAddress(address, versionOf(address));
    else trusted.addSubnet(address, Number(bits), versionOf(address));
  }
  const isTrusted = (address: string): boolean => isIP(address) !== 0 && trusted.check(address, versionOf(address));
  return (request) => {
    let address = plain(request.info.remoteAddress);
    // each proxy adds whom it saw at the end: the last that is none of ours is the client, what stands before it he may have written himself
    const said = ((request.headers['x-forwarded-for'] as string | undefined) ?? '').split(',');
    while (proxies.length > 0 && isTrusted(address) && said.length > 0) {
      const before = plain((said.pop() ?? '').trim());
      if (isIP(before) === 0) break;
      address = before;
    }
    return isIP(address) === 6 ? networkOf(address) : address;
  };
};
