import type { Extension, Identifier, ServiceRequest } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import type { ReferralState } from './transitions.js';

export const ubrnOf = (request: ServiceRequest): string | undefined =>
  request.identifier?.find((identifier: Identifier) => identifier.system === systems.ubrn)?.value;

/** A referral and an advice request may share one UBRN: it is unique per kind. */
export const kindOf = (request: ServiceRequest): 'referral' | 'advice' =>
  request.code?.coding?.some((coding) => coding.code === 'advice-and-guidance') === true ? 'advice' : 'referral';

const detailsOf = (request: ServiceRequest): readonly Extension[] =>
  request.extension?.find(({ url }) => url === extensions.state)?.extension ?? [];

export const stateOf = (request: ServiceRequest): ReferralState | undefined =>
  detailsOf(request).find(({ url }) => url === 'state')?.valueCoding?.code as ReferralState | undefined;

/** The referral in another state, with the reason and comment of the change when it has them. */
export const inState = (
  request: ServiceRequest,
  state: ReferralState,
  why: { readonly reason?: string; readonly comments?: string } = {},
): ServiceRequest => ({
  ...request,
  extension: [
    ...(request.extension ?? []).filter(({ url }) => url !== extensions.state),
    {
      url: extensions.state,
      extension: [
        { url: 'state', valueCoding: { system: systems.referralState, code: state } },
        ...(why.reason === undefined ? [] : [{ url: 'reason', valueString: why.reason }]),
        ...(why.comments === undefined ? [] : [{ url: 'comments', valueString: why.comments }]),
      ],
    },
  ],
});
