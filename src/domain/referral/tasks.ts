import type { Coding, Task } from 'fhir/r4.js';
import { addWorkingDays, localDayOf } from '../calendar/working-days.js';
import { systems } from '../codes.js';
import { changed, created, type Draft, type Found } from '../command.js';
import { referenceToService, type Service } from '../directory/service.js';
import type { Concept } from '../reference-data/concept.js';

/** Why the provider has something to do: a deferral, or triage, and what it is to be told from (eRS-ReviewReason or eRS-ReviewOutcome). */
export type Waiting = { readonly code: 'APPOINTMENT_DEFERRAL' | 'TRIAGE_DEFERRAL'; readonly reason: Coding; readonly service: Service };

const daysProperty = { APPOINTMENT_DEFERRAL: 'deferToProviderContactDays', TRIAGE_DEFERRAL: 'triageContactDays' } as const;

/** The day by which the patient is to be contacted, as the priority's concept says (A004 PRIORITY). */
export const contactBy = (code: Waiting['code'], priority: Concept | undefined, now: string): string | undefined => {
  const days = Number(priority?.one(daysProperty[code]) ?? Number.NaN);
  return Number.isInteger(days) ? addWorkingDays(localDayOf(now), days) : undefined;
};

/** The deferral or triage as the patient-care API shows it: a Task for the service, to be done by the day of contact. */
export const openedTask = (
  waiting: Waiting,
  on: { readonly referral: string; readonly subject: Task['for']; readonly priority: Concept | undefined },
  made: { readonly id: string; readonly now: string },
): Draft => {
  const end = contactBy(waiting.code, on.priority, made.now);
  const task: Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: systems.workflow, code: waiting.code }] },
    focus: { reference: `ServiceRequest/${on.referral}` },
    ...(on.subject === undefined ? {} : { for: on.subject }),
    authoredOn: made.now,
    owner: referenceToService(waiting.service),
    reasonCode: { coding: [waiting.reason] },
    ...(end === undefined ? {} : { restriction: { period: { end } } }),
  };
  return created(task, made.id);
};

/** The task ended: with what came of it, or because nothing is to be done any more. */
export const endedTask = (
  found: Found,
  status: 'completed' | 'cancelled',
  outcome: { readonly coding?: Coding; readonly comments?: string },
  now: string,
): Draft => {
  const task = found.resource as unknown as Task;
  return changed(found, {
    ...task,
    status,
    lastModified: now,
    ...(outcome.coding === undefined ? {} : { businessStatus: { coding: [outcome.coding] } }),
    ...(outcome.comments === undefined ? {} : { note: [...(task.note ?? []), { time: now, text: outcome.comments }] }),
  });
};
