import { setImmediate } from 'node:timers/promises';
import type { HealthcareService, Location, Organization, Reference, Schedule } from 'fhir/r4.js';
import { systems } from '../domain/codes.js';
import { listed, type ListedService, type SearchCriteria, type Searcher } from '../domain/directory/criteria.js';
import { findServices, searchKey, type FoundServices, type ServiceOrder } from '../domain/directory/found-services.js';
import type { Position } from '../domain/directory/postcodes.js';
import { serviceOf } from '../domain/directory/service.js';
import { readReference } from '../fhir/references.js';
import type { Resource } from '../fhir/resource.js';
import type { HistoryScope, Reader, Stored } from '../store/port.js';

type DirectoryType = 'HealthcareService' | 'Location' | 'Organization' | 'Schedule';
const types: readonly DirectoryType[] = ['HealthcareService', 'Location', 'Organization', 'Schedule'];
/** records read at a time: others are answered between two pages */
const pageSize = 200;

/** A service, and the ids through which its place and provider are found: they may change without it. */
type Entry = { readonly service: ListedService; readonly provider: Reference | undefined; readonly place: string | undefined };

/** searches whose services are kept */
const mostKept = 1000;
const none: ReadonlySet<string> = new Set();
const groupOf = (groups: ReadonlyMap<string, ReadonlySet<string>>, key: string): ReadonlySet<string> => groups.get(key) ?? none;
const clinicOf = (specialty: string, clinicType: string): string => `${specialty} ${clinicType}`;

const idOf = (reference: Reference | undefined, type: string): string | undefined => {
  const key = readReference(reference?.reference ?? '', '');
  return key?.type === type ? key.id : undefined;
};

const markOf = ({ type, id, version }: Stored): string => `${type}/${id}/${String(version)}`;

/**
 * The directory of services in memory, for A010: the search filters and sorts by what no index of one parameter holds. It is brought up to
 * date before each use by the order of commits, so it never answers from before a write that was acknowledged; a look at what is
 * newest costs four index seeks when nothing changed.
 */
export class ServiceDirectory {
  private readonly entries = new Map<string, Entry>();
  private readonly positions = new Map<string, Position>();
  private readonly codes = new Map<string, string>();
  /** ODS codes of the organisations that are closed */
  private readonly closed = new Set<string>();
  private readonly servicesOfSchedule = new Map<string, readonly string[]>();
  private readonly schedules = new Map<string, readonly string[]>();
  private readonly bySpecialty = new Map<string, Set<string>>();
  /** by specialty and clinic type together */
  private readonly byClinic = new Map<string, Set<string>>();
  private readonly byTerm = new Map<string, Set<string>>();
  private readonly byClinician = new Map<string, Set<string>>();
  /** by id of a Location, and by the site code that stands beside it */
  private readonly byPlace = new Map<string, Set<string>>();
  /** services with their place and provider, as they are since the last change */
  private readonly resolved = new Map<string, ListedService>();
  /** what searches have found since the last change */
  private readonly found = new Map<string, FoundServices>();
  /** the newest version of each type that was taken in */
  private readonly seen = new Map<DirectoryType, string>();
  /** the newest of all of them */
  private latest: string | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly reader: Reader) {}

  /** The services that meet the criteria (A010): the same object again until the directory changes, or a diary. */
  async search(criteria: SearchCriteria, searcher: Searcher, order: ServiceOrder): Promise<FoundServices> {
    await this.refresh();
    const key = searchKey(criteria, searcher, order);
    const known = this.found.get(key);
    if (known) return known;
    const found = findServices(this.candidates(criteria), criteria, searcher, order);
    if (this.found.size >= mostKept) this.found.clear();
    this.found.set(key, found);
    return found;
  }

  /** The services that may meet the criteria: the smallest group that one of them names, or all. */
  private candidates({ specialty, clinicType, clinicalTerm, namedClinician }: SearchCriteria): readonly ListedService[] {
    const both = specialty !== undefined && clinicType !== undefined;
    const groups = [
      specialty === undefined || both ? undefined : groupOf(this.bySpecialty, specialty),
      both ? groupOf(this.byClinic, clinicOf(specialty, clinicType)) : undefined,
      clinicalTerm === undefined ? undefined : groupOf(this.byTerm, clinicalTerm),
      namedClinician === undefined ? undefined : groupOf(this.byClinician, namedClinician),
    ].flatMap((group) => group ?? []);
    const smallest = [...groups].sort((a, b) => a.size - b.size)[0];
    return [...(smallest ?? this.entries.keys())].flatMap((id) => this.find(id) ?? []);
  }

  /** The ids of the services of a clinician (SDS user id) or at a place (id of its Location, or site code). */
  async servicesWith(group: 'clinician' | 'place', value: string): Promise<readonly string[]> {
    await this.refresh();
    return [...((group === 'clinician' ? this.byClinician : this.byPlace).get(value) ?? [])];
  }

  /** The ids of the services that an organisation (ODS code; undefined: any) provides and for which `test` holds. */
  async servicesOf(organisation: string | undefined, test: (service: ListedService) => boolean): Promise<readonly string[]> {
    await this.refresh();
    return [...this.entries.keys()].filter((id) => {
      const service = this.find(id);
      return service !== undefined && (organisation === undefined || service.organisation === organisation) && test(service);
    });
  }

  /** The ids of the diaries of a service. */
  schedulesOf(service: string): readonly string[] {
    return this.schedules.get(service) ?? [];
  }

  private find(id: string): ListedService | undefined {
    const known = this.resolved.get(id);
    if (known) return known;
    const entry = this.entries.get(id);
    if (!entry) return undefined;
    const position = entry.place === undefined ? undefined : this.positions.get(entry.place);
    const organisation = entry.service.organisation ?? this.codes.get(idOf(entry.provider, 'Organization') ?? '');
    const active = entry.service.active && !this.closed.has(organisation ?? '');
    const service = { ...entry.service, active, organisation, ...(position === undefined ? {} : { position }) };
    this.resolved.set(id, service);
    return service;
  }

  /** Takes in what changed. One refresh at a time; who comes meanwhile waits for one that began after it came. */
  refresh(): Promise<void> {
    this.running = this.running.catch(() => undefined).then(() => this.bringUpToDate());
    return this.running;
  }

  private async bringUpToDate(): Promise<void> {
    // most often nothing changed, which one look at all types tells
    const latest = await this.newest({ types });
    if (latest !== undefined && latest === this.latest) return;
    for (const type of types) {
      const known = this.seen.get(type);
      const newest = await this.newest({ type });
      if (newest === undefined || newest === known) continue;
      if (known === undefined) await this.readAll(type);
      else await this.readNewer(type, known);
      // after the reading: what was found between two of its pages goes too
      if (type !== 'Schedule') this.resolved.clear();
      this.found.clear();
      this.seen.set(type, newest);
    }
    this.latest = latest;
  }

  private async newest(scope: HistoryScope): Promise<string | undefined> {
    const [row] = (await this.reader.history(scope, { count: 1 }, 'all')).rows;
    return row && markOf(row);
  }

  private async readAll(type: DirectoryType): Promise<void> {
    for (let after: string | undefined, more = true; more;) {
      const page = await this.reader.search(
        { type, where: [], sort: [], count: pageSize, ...(after === undefined ? {} : { after }) },
        'all',
      );
      for (const row of page.rows) this.take(type, row);
      after = page.next;
      more = after !== undefined;
      await setImmediate();
    }
  }

  private async readNewer(type: DirectoryType, known: string): Promise<void> {
    const taken = new Set<string>();
    for (let after: string | undefined, more = true; more;) {
      const page = await this.reader.history({ type }, { count: pageSize, ...(after === undefined ? {} : { after }) }, 'all');
      const end = page.rows.findIndex((row) => markOf(row) === known);
      const fresh = end < 0 ? page.rows : page.rows.slice(0, end);
      // newest first: of several versions the first counts
      for (const row of fresh) if (!taken.has(row.id)) this.take(type, row);
      for (const { id } of fresh) taken.add(id);
      after = page.next;
      more = after !== undefined && end < 0;
      if (more) await setImmediate();
    }
  }

  private take(type: DirectoryType, row: Stored): void {
    const resource = row.body === undefined ? undefined : (JSON.parse(row.body) as Resource);
    if (type === 'HealthcareService') this.takeService(row.id, resource as unknown as HealthcareService | undefined);
    else if (type === 'Location') this.takeLocation(row.id, resource as unknown as Location | undefined);
    else if (type === 'Organization') this.takeOrganisation(row.id, resource as unknown as Organization | undefined);
    else this.takeSchedule(row.id, resource as unknown as Schedule | undefined);
  }

  private takeService(id: string, resource: HealthcareService | undefined): void {
    const before = this.entries.get(id)?.service;
    if (before) this.list(before, (group) => group.delete(id));
    this.entries.delete(id);
    if (!resource) return;
    const service = listed(serviceOf(resource, id), resource, undefined);
    this.entries.set(id, { service, provider: resource.providedBy, place: idOf(resource.location?.[0], 'Location') });
    this.list(service, (group) => group.add(id));
  }

  private list(service: ListedService, change: (group: Set<string>) => unknown): void {
    const groups: readonly (readonly [Map<string, Set<string>>, readonly string[]])[] = [
      [this.bySpecialty, service.specialties],
      [this.byClinic, service.specialties.flatMap((specialty) => service.clinicTypes.map((type) => clinicOf(specialty, type)))],
      [this.byTerm, service.summary.clinicalTerms.flatMap(({ code }) => code ?? [])],
      [this.byPlace, service.locations],
      [this.byClinician, service.summary.clinician === undefined ? [] : [service.summary.clinician.sdsId]],
    ];
    for (const [map, keys] of groups)
      for (const key of keys) {
        const group = map.get(key) ?? new Set<string>();
        map.set(key, group);
        change(group);
      }
  }

  private takeLocation(id: string, resource: Location | undefined): void {
    const position = resource?.position;
    if (position) this.positions.set(id, { lat: position.latitude, lon: position.longitude });
    else this.positions.delete(id);
  }

  private takeOrganisation(id: string, resource: Organization | undefined): void {
    const code = resource?.identifier?.find(({ system }) => system === systems.organisation)?.value;
    this.closed.delete(this.codes.get(id) ?? '');
    if (code === undefined) this.codes.delete(id);
    else this.codes.set(id, code);
    if (code !== undefined && resource?.active === false) this.closed.add(code);
  }

  private takeSchedule(id: string, resource: Schedule | undefined): void {
    for (const service of this.servicesOfSchedule.get(id) ?? [])
      this.schedules.set(
        service,
        this.schedulesOf(service).filter((schedule) => schedule !== id),
      );
    const services = (resource?.actor ?? []).flatMap((actor) => idOf(actor, 'HealthcareService') ?? []);
    this.servicesOfSchedule.set(id, services);
    for (const service of new Set(services)) this.schedules.set(service, [...this.schedulesOf(service), id]);
  }
}
