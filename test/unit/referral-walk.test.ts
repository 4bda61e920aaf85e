import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { ServiceRequest } from 'fhir/r4.js';
import { addWorkingDays } from '../../src/domain/calendar/working-days.js';
import type { Service } from '../../src/domain/directory/service.js';
import type { ReferralSituation } from '../../src/domain/referral/guards.js';
import { stateAfter } from '../../src/domain/referral/moves.js';
import { inState, stateOf } from '../../src/domain/referral/referral.js';
import { referralStates } from '../../src/domain/referral/states.js';
import { adviceDiagram, stateDiagram } from '../../src/domain/referral/state-diagram.js';
import { referralEvents, transitionOf, type ReferralEvent } from '../../src/domain/referral/transitions.js';

const request: ServiceRequest = { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: { reference: 'Patient/p' } };
const service: Service = {
  id: 's',
  name: 'Cardiology',
  number: '1',
  active: true,
  organisation: 'RCD',
  flows: ['BOOKABLE', 'REVIEW'],
  binding: 'DIRECTLY_BOOKABLE',
  specialty: undefined,
  summary: { genders: [], priorities: [], referralLetterRequired: false, clinicalTerms: [] },
};
const actors = ['referrer', 'provider', 'patient'] as const;

type Walk = { readonly situation: ReferralSituation; readonly booked: boolean };

/** One step as the operations take it: the state by the table, the appointment by the effect of the edge. */
const step = ({ situation, booked }: Walk, event: ReferralEvent, actor: (typeof actors)[number]): Walk => {
  const acting = { ...situation, actor };
  const state = stateAfter(event, acting);
  const { appointment } = transitionOf(event);
  const ends = ['cancel', 'no-show', 'attend', 'cancel-if-reason-allows'].includes(appointment);
  const { appointment: _old, ...rest } = acting;
  const next = appointment === 'book' || (booked && !ends);
  return {
    booked: next,
    situation: {
      ...rest,
      request: inState(situation.request, state),
      ...(next ? { appointment: { resourceType: 'Appointment', status: 'booked', participant: [], start: '2099-01-01T09:00:00Z' } } : {}),
    },
  };
};

it('thousands of walks by several actors: booked exactly in BOOKED, a terminal state stays', () => {
  const moves = fc.array(fc.tuple(fc.constantFrom(...referralEvents), fc.constantFrom(...actors)), { maxLength: 40 });
  fc.assert(
    fc.property(moves, (walk) => {
      let at: Walk = {
        booked: false,
        situation: {
          request: inState(request, 'NOT_BOOKED'),
          services: [service],
          appointmentService: service,
          taskService: service,
          organisation: 'RCD',
          hasDocument: true,
          actor: 'referrer',
          now: '2026-01-01T00:00:00Z',
        },
      };
      for (const [event, actor] of walk) {
        const before = stateOf(at.situation.request);
        try {
          at = step(at, event, actor);
        } catch {
          continue;
        }
        expect(before).not.toBe('CANCELLED_REFERRAL');
        expect(at.booked).toBe(stateOf(at.situation.request) === 'BOOKED');
      }
    }),
    { numRuns: 3000 },
  );
});

it('every state but the terminal one can be left, and every one can be reached', () => {
  const reached = new Set(referralEvents.map((event) => transitionOf(event).to));
  for (const state of referralStates) {
    expect(reached).toContain(state);
    const leaves = referralEvents.some((event) => transitionOf(event).from.includes(state));
    expect([state, leaves]).toEqual([state, state !== 'CANCELLED_REFERRAL']);
  }
});

it('docs/referral-states.md is drawn from the table', () => {
  const page = readFileSync('docs/referral-states.md', 'utf8');
  expect(page).toContain(stateDiagram());
  expect(page).toContain(adviceDiagram());
});

it('working days leave out weekends and the bank holidays of England', () => {
  expect(addWorkingDays('2026-12-24', 2)).toBe('2026-12-30');
  expect(addWorkingDays('2026-04-02', 1)).toBe('2026-04-07');
});
