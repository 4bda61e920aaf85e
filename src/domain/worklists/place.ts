import type { WorklistPlace } from '../../store/port.js';
import { endOfDay } from '../calendar/working-days.js';
import { systems } from '../codes.js';
import { acceptedAt, kindOf, stateOf } from '../referral/referral.js';
import { clinicalStatus, contextStatus, itemExtension, letterDue, type Candidate } from './item.js';
import { worklists, type WorklistName } from './lists.js';

/** Whether a referral in a state of the list is on it, whatever the time is. */
const belongs = (list: WorklistName, candidate: Candidate): boolean => {
  const { request } = candidate;
  if ((kindOf(request) === 'advice') !== (list === 'ADVICE_AND_GUIDANCE_REQUESTS')) return false;
  if (list === 'REFERRALS_FOR_REVIEW') return acceptedAt(request) === undefined || contextStatus(candidate) !== undefined;
  return list !== 'LETTERS_OUTSTANDING' || clinicalStatus(candidate) === 'NOT_DUE';
};

/** A referral comes to its end on a list of review when its appointment has begun; a booking of that moment is still on it. */
const untilOf = (list: WorklistName, { appointment }: Candidate): number | undefined => {
  const start = Date.parse(list === 'REFERRALS_FOR_REVIEW' ? (appointment?.start ?? '') : '');
  return Number.isNaN(start) ? undefined : start + 1;
};

const specialtyOf = ({ request }: Candidate): string | undefined => {
  const codings = request.performerType?.coding ?? [];
  return (codings.find(({ system }) => system === systems.specialty) ?? codings[0])?.code;
};

/** No provider works on a referral that is with a service off its shortlist, as it may not read it. */
const providerOf = ({ request, service }: Candidate): string | undefined =>
  (request.performer ?? []).some(
    ({ reference, identifier }) => reference === `HealthcareService/${service?.id ?? ''}` || identifier?.value === (service?.number ?? ''),
  )
    ? service?.organisation
    : undefined;

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };

/**
 * The places of a referral on the worklists (e-RS facts, worklists), with the texts that they show. What depends on the day is left to
 * who reads: `until` and `due` say when it changes. `referrer`: the ODS code of the organisation that refers.
 */
export const placesOf = (candidate: Candidate, referrer: string | undefined): readonly WorklistPlace[] => {
  const { found, request, service } = candidate;
  // as on the day it was made: a letter is then not due yet
  const early = { ...candidate, now: request.authoredOn ?? candidate.now };
  const state = stateOf(request) as string | undefined;
  const specialty = specialtyOf(candidate);
  const due = clinicalStatus(early) === 'NOT_DUE' ? letterDue(early) : undefined;
  return Object.entries(worklists).flatMap(([name, { states, side }]): readonly WorklistPlace[] => {
    const list = name as WorklistName;
    const owner = side === 'provider' ? providerOf(candidate) : (referrer ?? '');
    if (owner === undefined || !(states as readonly (string | undefined)[]).includes(state) || !belongs(list, early)) return [];
    const until = untilOf(list, candidate);
    return [
      {
        list,
        owner,
        authored: Date.parse(request.authoredOn ?? candidate.now),
        ...optional('service', service?.id),
        ...optional('specialty', specialty),
        ...optional('until', until),
        ...optional('due', due === undefined ? undefined : endOfDay(due)),
        item: JSON.stringify({
          extension: [itemExtension(list, early)],
          item: { reference: `ServiceRequest/${found.id}/_history/${String(found.version)}` },
        }),
      },
    ];
  });
};

/** The item of a place as it reads at `now` (epoch ms). */
export const itemAt = ({ item, due }: Pick<WorklistPlace, 'item' | 'due'>, now: number): string =>
  due !== undefined && now >= due ? item.replace('"valueCode":"NOT_DUE"', '"valueCode":"OVERDUE"') : item;
