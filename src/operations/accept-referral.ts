import type { ServiceRequest } from 'fhir/r4.js';
import { acceptReferral } from '../domain/referral/accept-referral.js';
import { written, notFound } from '../interactions/answers.js';
import { perform } from '../interactions/perform.js';
import { checkVersion } from '../interactions/update.js';
import type { Operation } from './operation.js';

/** e-RS A013. If-Match, no body; answers the referral. */
export const acceptReferralOperation: Operation = {
  definition: {
    name: 'AcceptReferral',
    code: 'ers.acceptReferral',
    description: 'The provider accepts a booked referral (e-RS A013).',
    affectsState: true,
    system: false,
    type: false,
    instance: true,
    resource: ['ServiceRequest'],
  },
  interaction: 'r',
  perform: async (house, call, { id = '' }) => {
    const on = { type: 'ServiceRequest', id };
    const { put } = await perform(house, call, async (facts) => {
      const current = await facts.find(on);
      if (!current) throw notFound(on);
      checkVersion(call, on, current.version);
      const resource = acceptReferral(current.resource as unknown as ServiceRequest, new Date(house.clock()).toISOString());
      return { drafts: [{ ...on, version: current.version, resource: resource as never }], result: on };
    });
    return written(house, put);
  },
};
