import type { Store } from '../store/port.js';
import type { Client, ClientRegistry } from './client.js';

export type ClientStore = Pick<Store, 'findEntry' | 'listEntries' | 'commit'>;

/** What the store keeps of a client: its registration, or that it was revoked, and when (epoch ms). */
type Kept = { readonly client: Client | undefined; readonly revokedAt?: number };

export type StoredRegistry = ClientRegistry & {
  /** registers, or replaces a registration of the same id */
  readonly put: (client: Client) => Promise<void>;
  /** false when there is no such client */
  readonly revoke: (id: string) => Promise<boolean>;
};

/** a revocation reaches every process within this; well under the 10 s that are promised */
const keptMs = 3000;
const most = 10_000;

const bodyOf = ({ client, revokedAt }: Kept): string => JSON.stringify({ client: client ?? null, revokedAt });
const read = (body: string): Kept => {
  const { client, ...rest } = JSON.parse(body) as Omit<Kept, 'client'> & { readonly client: Client | null };
  return { client: client ?? undefined, ...rest };
};

/** A new registration does not give life back to the tokens of one that was revoked; one that replaces another keeps its tokens. */
const succeeding = (client: Client, before: Kept | undefined): Client => {
  const from = before?.revokedAt === undefined ? before?.client?.tokensFrom : Math.ceil(before.revokedAt / 1000);
  return from === undefined ? client : { ...client, tokensFrom: from };
};

/**
 * The clients of the store, with those of `given` (the demo clients) behind them: an entry of the same id, also a revocation, wins.
 *
 * @param clock epoch ms
 */
export const storedClients = (store: ClientStore, given: ClientRegistry, clock: () => number): StoredRegistry => {
  const cache = new Map<string, { readonly client: Client | undefined; readonly until: number }>();
  const load = async (id: string): Promise<Client | undefined> => {
    const entry = await store.findEntry('client', id);
    return entry ? read(entry.body).client : given.find(id);
  };
  const write = async (id: string, next: (before: Kept | undefined) => Kept): Promise<void> => {
    const entry = await store.findEntry('client', id);
    const body = bodyOf(next(entry && read(entry.body)));
    await store.commit({ entries: [{ kind: 'client', key: id, version: entry?.version ?? 0, body }] });
    cache.delete(id);
  };
  return {
    find: async (id) => {
      const known = cache.get(id);
      if (known && known.until > clock()) return known.client;
      const client = await load(id);
      if (cache.size >= most) cache.clear();
      cache.set(id, { client, until: clock() + keptMs });
      return client;
    },
    list: async () => {
      const entries = new Map((await store.listEntries('client')).map(({ key, body }) => [key, read(body).client]));
      const others = (await given.list()).filter(({ id }) => !entries.has(id));
      return [...others, ...[...entries.values()].flatMap((client) => client ?? [])].sort((a, b) => a.id.localeCompare(b.id));
    },
    put: (client) => write(client.id, (before) => ({ client: succeeding(client, before) })),
    revoke: async (id) => {
      if (!(await load(id))) return false;
      await write(id, () => ({ client: undefined, revokedAt: clock() }));
      return true;
    },
  };
};
