import { referralEvents, transitionOf } from './transitions.js';

/** The transition table as a mermaid state diagram: one arrow for each state that an event leaves. */
export const stateDiagram = (): string =>
  [
    'stateDiagram-v2',
    ...referralEvents.flatMap((event) => {
      const { from, to, ers } = transitionOf(event);
      const label = ers.length === 0 ? event : `${event} (${ers.join(', ')})`;
      const starts = from.length === 0 ? ['[*]'] : from;
      return starts.map((state) => `  ${state} --> ${to === 'same' ? state : to}: ${label}`);
    }),
    '  CANCELLED_REFERRAL --> [*]',
  ].join('\n');
