import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

// RFC 6890 and its successors: networks that no public host has an address in
const networks = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24'],
  ...['192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  // IPv4 inside IPv6 (mapped, translated, 6to4, Teredo) could name any of the above
  ...['::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/23'],
  ...['100::/64', '2001:db8::/32', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];

// one list for each version: Node compares an IPv4 address with the rules of IPv6 as well, by its mapped form
const blocked = { ipv4: new BlockList(), ipv6: new BlockList() } as const;
for (const network of networks) {
  const [address = '', prefix] = network.split('/');
  const version = address.includes(':') ? 'ipv6' : 'ipv4';
  blocked[version].addSubnet(address, Number(prefix), version);
}

/** False for loopback, private, link-local, multicast and reserved addresses, and for what is no address at all. */
export const isPublicAddress = (address: string): boolean => {
  const version = isIP(address);
  if (version === 0) return false;
  const name = version === 6 ? 'ipv6' : 'ipv4';
  return !blocked[name].check(address, name);
};

/**
 * A `lookup` for a connection that fails unless every address of the name is public. The connection uses the addresses that were
 * checked, so a name that answers differently the second time (DNS rebinding) gains nothing.
 */
export const publicLookup =
  (resolve: typeof systemLookup = systemLookup): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, '', 4);
        return;
      }
      const [first] = addresses;
      if (!first || !addresses.every(({ address }) => isPublicAddress(address))) {
        callback(new Error('the host has no public address'), '', 4);
        return;
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
