import type { Reference } from 'fhir/r4.js';
import { askForAdvice } from '../../domain/advice/ask.js';
import { convertAdvice } from '../../domain/advice/convert.js';
import { sendCommunicationToRequester } from '../../domain/advice/reply.js';
import { systems } from '../../domain/codes.js';
import type { Found } from '../../domain/command.js';
import { refuseMisnamed } from '../../domain/misnamed.js';
import { refusal } from '../../domain/refusal.js';
import { readReference } from '../../fhir/references.js';
import { files, needed, neededCode, optional, optionalCode, output } from './declare.js';
import { requestOf, requestParameters } from './create-referral.js';
import { answerParts, maybe, onInstance, onType, type Done } from './ers-operation.js';
import { expressionOf, filesOf } from './inputs.js';

const created = ({ puts }: Done, type: string) => puts.find((put) => put.type === type && put.version === 0);

/** e-RS A044. Answers 200, as e-RS does. */
export const createAdviceAndGuidanceOperation = onType({
  code: 'ers.createAdviceAndGuidance',
  name: 'CreateAdviceAndGuidance',
  description: 'A request for advice to one advice and guidance service, with its first message (e-RS A044).',
  type: 'ServiceRequest',
  parameters: [
    ...requestParameters,
    needed('adviceRequestText', 'string', 'at most 8000 characters'),
    optionalCode('providerConversionAuthorisation', systems.conversionAuthorisation, 'AUTHORISED_TO_CONVERT or NOT_AUTHORISED_TO_CONVERT'),
    files('attachment', 'documents of the referrer'),
  ],
  decide: async (situation, inputs) =>
    askForAdvice(situation, requestOf(inputs, 'advice'), {
      text: inputs.text('adviceRequestText') ?? '',
      authorisation: inputs.code('providerConversionAuthorisation'),
      files: await filesOf(inputs, 'attachment', situation.facts),
    }),
  outputs: [
    output('ServiceRequest', 'the request for advice', 'createdCommunicationRequest'),
    output('Communication', 'its first message', 'createdCommunication'),
  ],
  answer: answerParts((done) => [
    { name: 'createdCommunicationRequest', put: done.put },
    { name: 'createdCommunication', put: created(done, 'Communication') },
  ]),
});

/** e-RS A026. */
export const sendCommunicationToRequesterOperation = onInstance({
  code: 'ers.sendCommunicationToRequester',
  name: 'SendCommunicationToRequester',
  description: 'The provider answers a request for advice, or asks for more (e-RS A026).',
  type: 'ServiceRequest',
  parameters: [
    neededCode(
      'guidanceOutcome',
      systems.guidanceOutcome,
      'RETURN_TO_REFERRER_WITH_ADVICE, REQUIRE_FURTHER_INFORMATION or PROVIDER_CONVERTED',
    ),
    optionalCode('guidanceIntendedRecommendation', systems.guidanceRecommendation, 'with RETURN_TO_REFERRER_WITH_ADVICE, and only there'),
    needed('guidance', 'string', 'at most 8000 characters'),
    optionalCode('updatedPriority', systems.priority, 'eRS-Priority'),
    files('attachment', 'documents of the provider'),
  ],
  decide: async (situation, found, inputs) =>
    sendCommunicationToRequester(situation, found, {
      outcome: inputs.code('guidanceOutcome') ?? '',
      ...maybe('recommendation', inputs.code('guidanceIntendedRecommendation')),
      guidance: inputs.text('guidance') ?? '',
      ...maybe('priority', inputs.code('updatedPriority')),
      files: await filesOf(inputs, 'attachment', situation.facts),
    }),
  outputs: [
    output('ServiceRequest', 'the request for advice as it is now', 'updatedCommunicationRequest'),
    output('Communication', 'the message', 'createdCommunication'),
  ],
  answer: answerParts((done) => [
    { name: 'updatedCommunicationRequest', put: done.put },
    { name: 'createdCommunication', put: created(done, 'Communication') },
  ]),
});

const conversionParameters = [
  optional('communicationRequest', 'Reference', 'the request for advice; with its version it must be current'),
  optional('guidance', 'string', 'at most 8000 characters'),
  needed('reviewComments', 'string', 'at most 2000 characters'),
  optionalCode('newReferralPriority', systems.priority, 'eRS-Priority'),
  files('attachment', 'documents of the provider'),
];

/** A reference, or a UBRN, names the request itself; with a version it pins it as e-RS has it. */
const checkPinned = (reference: Reference | undefined, baseUrl: string, found: Found): void => {
  if (reference === undefined) return;
  const expression = expressionOf('communicationRequest');
  const key = readReference(reference.reference ?? '', baseUrl);
  const byNumber = key === undefined && reference.identifier?.system === systems.ubrn;
  if (!byNumber && (key?.type !== 'ServiceRequest' || key.id !== found.id))
    throw refusal(
      'business-rule',
      'business-rule',
      'CONFLICTING_VALUES',
      'The reference is not to the request that the operation is asked of.',
      expression,
    );
  refuseMisnamed(reference, found, { baseUrl, what: 'request', expression });
};

/** e-RS A027 on the request for advice itself. Answers 201 with the referral. */
export const createFromCommunicationRequestOperation = onInstance({
  code: 'ers.createFromCommunicationRequestActionLater',
  name: 'CreateFromCommunicationRequestActionLater',
  description: 'The provider makes a referral of a request for advice, under the same UBRN (e-RS A027).',
  type: 'ServiceRequest',
  parameters: conversionParameters,
  decide: async (situation, found, inputs) => {
    checkPinned(inputs.reference('communicationRequest'), situation.baseUrl, found);
    return convertAdvice(situation, found, {
      ...maybe('guidance', inputs.text('guidance')),
      comments: inputs.text('reviewComments') ?? '',
      ...maybe('priority', inputs.code('newReferralPriority')),
      files: await filesOf(inputs, 'attachment', situation.facts),
    });
  },
});
