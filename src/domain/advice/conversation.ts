import type { Communication, Reference, ServiceRequest } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import { created, type Draft, type Found } from '../command.js';
import { gatherService, type Service } from '../directory/service.js';
import { takesPriority } from '../directory/service-summary.js';
import { gatherConcept, type Concept } from '../reference-data/concept.js';
import { documentsOf } from '../referral/gather-referral.js';
import { requesterOrganisations } from '../referral/gather-requester.js';
import { adviceStateOf, inAdviceState, kindOf, type Why } from '../referral/referral.js';
import type { AdviceState } from '../referral/states.js';
import { refusal } from '../refusal.js';
import { sideOf } from '../sides.js';
import type { Situation } from '../situation.js';
import { adviceStateAfter, type AdviceEvent } from './transitions.js';

export type Advice = {
  readonly found: Found;
  readonly request: ServiceRequest;
  readonly state: AdviceState;
  readonly service: Service | undefined;
  readonly documents: readonly Found[];
};

/** The request for advice with its service and files. Refuses a referral: INVALID_REQUEST_TYPE. */
export const gatherAdvice = async (situation: Situation, found: Found): Promise<Advice> => {
  const { facts, baseUrl } = situation;
  const request = found.resource as unknown as ServiceRequest;
  if (kindOf(request) !== 'advice')
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_REQUEST_TYPE',
      'This is a referral, not a request for advice.',
      'ServiceRequest.code',
    );
  const service = await gatherService(facts, request.performer?.[0], baseUrl);
  await refuseStranger(situation, request, service);
  return {
    found,
    request,
    state: adviceStateOf(request) ?? 'PROVIDER_RESPONSE_REQUIRED',
    service,
    documents: await documentsOf(facts, found.id),
  };
};

/** A provider acts on what was asked of it alone, a referrer on what its organisation asked. */
const refuseStranger = async (situation: Situation, { requester }: ServiceRequest, service: Service | undefined): Promise<void> => {
  const { caller } = situation;
  const { organisation = '' } = caller;
  const isAsked = service?.organisation === organisation;
  const side = sideOf(caller);
  if (side === 'provider' && !isAsked)
    throw refusal('forbidden', 'forbidden', 'NO_RELATIONSHIP', 'The request is with another provider.', 'ServiceRequest.performer');
  if (side !== 'referrer') return;
  const referrers = await requesterOrganisations(situation, requester);
  if (referrers.length > 0 ? !referrers.includes(organisation) : isAsked)
    throw refusal('forbidden', 'forbidden', 'NO_RELATIONSHIP', 'The request is of another organisation.', 'ServiceRequest.requester');
};

/** The request after the event, in the state and with the status that the state's concept says (eRS-AdviceAndGuidanceStatus). */
export const adviceAfter = async (advice: Advice, event: AdviceEvent, situation: Situation, why: Why = {}): Promise<ServiceRequest> => {
  const state = adviceStateAfter(event, advice.state, sideOf(situation.caller));
  const concept = await gatherConcept(situation.facts, 'eRS-AdviceAndGuidanceStatus', state);
  const status = (concept?.one('requestStatus') ?? advice.request.status) as ServiceRequest['status'];
  return { ...inAdviceState(advice.request, state, why), status };
};

/** The service of the request; refuses a priority that it does not take. */
export const serviceTaking = ({ service }: Advice, { code }: Concept, expression: string): Service => {
  if (!service || !takesPriority(service.summary, code))
    throw refusal('business-rule', 'business-rule', 'UNSUPPORTED_PRIORITY', `The service does not take the priority ${code}.`, expression);
  return service;
};

export type Message = {
  readonly category: 'REQUESTER' | 'RESPONDER' | 'REFERRER_CLINICAL_INFORMATION_UPDATED';
  readonly text: string | undefined;
  readonly reasons?: readonly { readonly system: string; readonly code: string }[];
  readonly sender: Reference | undefined;
  /** ids of DocumentReferences */
  readonly files: readonly string[];
};

/** One message of the conversation. R4 communication.html: basedOn the request, the files as references beside the text. */
export const message = (
  request: Pick<ServiceRequest, 'id' | 'subject'>,
  { category, text, reasons, sender, files }: Message,
  made: Situation,
): Draft => {
  const communication: Communication = {
    resourceType: 'Communication',
    basedOn: [{ reference: `ServiceRequest/${request.id ?? ''}` }],
    status: 'completed',
    category: [{ coding: [{ system: systems.communicationCategory, code: category }] }],
    subject: request.subject,
    sent: made.now,
    ...(sender === undefined ? {} : { sender }),
    ...(reasons === undefined || reasons.length === 0 ? {} : { reasonCode: reasons.map((coding) => ({ coding: [coding] })) }),
  };
  const payload = [
    ...(text === undefined ? [] : [{ contentString: text }]),
    ...files.map((id) => ({ contentReference: { reference: `DocumentReference/${id}` } })),
  ];
  return created(payload.length === 0 ? communication : { ...communication, payload }, made.newId());
};

/** Whether the referrer lets the provider make a referral of the request (eRS-ProviderConversionAuthorisation). */
export const mayConvert = async ({ facts }: Situation, request: ServiceRequest): Promise<boolean> => {
  const code = request.extension?.find(({ url }) => url === extensions.conversionAuthorisation)?.valueCode;
  return (await gatherConcept(facts, 'eRS-ProviderConversionAuthorisation', code))?.is('permits') === true;
};
