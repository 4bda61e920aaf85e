import type { Coding, Extension, Identifier, ServiceRequest } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import { codeWithin } from '../reference-data/code-within.js';
import type { Concept } from '../reference-data/concept.js';
import type { AdviceState, ReferralState } from './states.js';

export type LetterIntention = 'NEED_TO_ADD_LATER' | 'NOT_INTENDING_TO_ADD';

export const ubrnOf = (request: ServiceRequest): string | undefined =>
  request.identifier?.find((identifier: Identifier) => identifier.system === systems.ubrn)?.value;

/** Where the patient goes on with his referral, as the patient-care API links it. */
export const portalLink = (ubrn: string): Extension => ({
  url: extensions.portalLink,
  valueUrl: `https://refer.nhs.uk/nhslogin?ubrn=${ubrn}`,
});

/** A referral and an advice request may share one UBRN: it is unique per kind. */
export const kindOf = (request: ServiceRequest): 'referral' | 'advice' =>
  request.code?.coding?.some((coding) => coding.code === 'advice-and-guidance') === true ? 'advice' : 'referral';

const detailsOf = (request: ServiceRequest): readonly Extension[] =>
  request.extension?.find(({ url }) => url === extensions.state)?.extension ?? [];

const detail = (request: ServiceRequest, url: string): Extension | undefined => detailsOf(request).find((part) => part.url === url);

const stateCode = (request: ServiceRequest): string | undefined => detail(request, 'state')?.valueCoding?.code;

export const stateOf = (request: ServiceRequest): ReferralState | undefined => stateCode(request) as ReferralState | undefined;
export const adviceStateOf = (request: ServiceRequest): AdviceState | undefined => stateCode(request) as AdviceState | undefined;
export const stateReasonOf = (request: ServiceRequest): Coding | undefined => detail(request, 'reason')?.valueCoding;
export const stateCommentsOf = (request: ServiceRequest): string | undefined => detail(request, 'comments')?.valueString;
/** When the provider accepted the booking. */
export const acceptedAt = (request: ServiceRequest): string | undefined => detail(request, 'accepted')?.valueDateTime;
/** When the provider last looked at it: accepted, or recorded an outcome. */
export const reviewedAt = (request: ServiceRequest): string | undefined => detail(request, 'reviewed')?.valueDateTime;
export const priorityChangedAt = (request: ServiceRequest): string | undefined => detail(request, 'priorityChanged')?.valueDateTime;

/** Why a state was entered, and marks that outlive it. Times: ISO 8601. */
export type Why = {
  readonly reason?: Coding;
  readonly comments?: string;
  readonly accepted?: string;
  readonly reviewed?: string;
  readonly priorityChanged?: string;
};

/** The extension replaced, or added as the last; undefined takes it away. */
export const withExtension = (request: ServiceRequest, url: string, value: Omit<Extension, 'url'> | undefined): ServiceRequest => ({
  ...request,
  extension: [
    ...(request.extension ?? []).filter((extension) => extension.url !== url),
    ...(value === undefined ? [] : [{ url, ...value }]),
  ],
});

const stateExtension = (system: string, state: string, why: Why): Omit<Extension, 'url'> => ({
  extension: [
    { url: 'state', valueCoding: { system, code: state } },
    ...(why.reason === undefined ? [] : [{ url: 'reason', valueCoding: why.reason }]),
    ...(why.comments === undefined ? [] : [{ url: 'comments', valueString: why.comments }]),
    ...(why.accepted === undefined ? [] : [{ url: 'accepted', valueDateTime: why.accepted }]),
    ...(why.reviewed === undefined ? [] : [{ url: 'reviewed', valueDateTime: why.reviewed }]),
    ...(why.priorityChanged === undefined ? [] : [{ url: 'priorityChanged', valueDateTime: why.priorityChanged }]),
  ],
});

/** The marks that stay when the state changes: what the provider has seen, and when the priority changed. */
const lasting = (request: ServiceRequest): Why => {
  const reviewed = reviewedAt(request);
  const priorityChanged = priorityChangedAt(request);
  return { ...(reviewed === undefined ? {} : { reviewed }), ...(priorityChanged === undefined ? {} : { priorityChanged }) };
};

/** The referral in another state, with the reason and comment of the change when it has them. */
export const inState = (request: ServiceRequest, state: ReferralState, why: Why = {}): ServiceRequest =>
  withExtension(request, extensions.state, stateExtension(systems.referralState, state, { ...lasting(request), ...why }));

/** The referral as it stands, with another mark. */
export const marked = (request: ServiceRequest, marks: Why): ServiceRequest => {
  const reason = stateReasonOf(request);
  const comments = stateCommentsOf(request);
  const accepted = acceptedAt(request);
  return inState(request, stateOf(request) ?? 'NOT_BOOKED', {
    ...(reason === undefined ? {} : { reason }),
    ...(comments === undefined ? {} : { comments }),
    ...(accepted === undefined ? {} : { accepted }),
    ...marks,
  });
};

/** The referral as it stands, for a provider that has yet to look at it. */
export const unreviewed = (request: ServiceRequest): ServiceRequest =>
  withExtension(request, extensions.state, {
    extension: detailsOf(request).filter(({ url }) => url !== 'accepted' && url !== 'reviewed'),
  });

export const inAdviceState = (request: ServiceRequest, state: AdviceState, why: Why = {}): ServiceRequest =>
  withExtension(request, extensions.state, stateExtension(systems.adviceState, state, why));

const codeIn = (within: readonly Extension[], url: string, system: string): string | undefined => {
  const found = within.find((extension) => extension.url === url);
  return found && codeWithin(found.valueCoding === undefined ? (found.valueCodeableConcept?.coding ?? []) : [found.valueCoding], system);
};

export const letterIntentionOf = (request: ServiceRequest): LetterIntention | undefined =>
  codeIn(request.extension ?? [], extensions.letterIntention, systems.letterIntention) as LetterIntention | undefined;

/** When the waiting-time clock began, as the request says it (ISO 8601). */
export const pathwayStartOf = (request: ServiceRequest): string | undefined => {
  const found = request.extension?.find(({ url }) => url === extensions.pathwayStart);
  return found?.valueDateTime ?? found?.valueInstant;
};

/** The e-RS priority that the request itself says; without one, ServiceRequest.priority counts (reference-data/priority). */
export const ersPriorityOf = (request: Partial<ServiceRequest>): string | undefined =>
  request.extension && codeIn(request.extension, extensions.priority, systems.priority);

/** The request with the e-RS priority and the R4 priority that PRIORITY says goes with it; where it says none, the request keeps its own. */
export const withPriority = (request: ServiceRequest, priority: Pick<Concept, 'code' | 'display' | 'one'>): ServiceRequest => ({
  ...withExtension(request, extensions.priority, {
    valueCoding: {
      system: systems.priority,
      code: priority.code,
      ...(priority.display === undefined ? {} : { display: priority.display }),
    },
  }),
  priority: (priority.one('requestPriority') ?? request.priority ?? 'routine') as NonNullable<ServiceRequest['priority']>,
});
