import type { DocumentReference, Extension, Reference, ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { extensions, systems } from '../codes.js';
import { changed, created, type Draft, type Facts, type Found } from '../command.js';
import { goesOnAs } from '../demographics/demographics.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { attachmentOf, attachmentRules, type GivenAttachment } from './attachment-rules.js';

export type AttachmentType = 'REFERRER' | 'PROVIDER' | 'ADVICE_REQUEST' | 'GUIDANCE_RESPONSE';

export const attachmentTypeOf = (document: DocumentReference): AttachmentType | undefined =>
  document.type?.coding?.find(({ system }) => system === systems.attachmentType)?.code as AttachmentType | undefined;

/** A DocumentReference that names no type was attached by the referrer: plain FHIR clients write none. */
const isOfType = (type: AttachmentType, found: Found): boolean =>
  (attachmentTypeOf(found.resource as unknown as DocumentReference) ?? 'REFERRER') === type;

/** What an operation was given as files: DocumentReferences whose Binary was uploaded before, or such that are attached already. */
export type GivenFiles = { readonly documents: readonly DocumentReference[]; readonly expression: string };

/** Whether a file says that it is about somebody else than the patient of the request; one that names nobody does not. */
const isOfOther = (said: Reference | undefined, subject: Reference, baseUrl: string): boolean => {
  const key = readReference(said?.reference ?? '', baseUrl);
  if (key && `${key.type}/${key.id}` !== subject.reference) return true;
  const { system = systems.nhsNumber, value } = said?.identifier ?? {};
  return (
    value !== undefined && system === systems.nhsNumber && subject.identifier?.value !== undefined && value !== subject.identifier.value
  );
};

/** Whether it is about the record that the patient of the request goes on as. */
const isOfLater = async (facts: Facts, said: Reference | undefined, subject: Reference, baseUrl: string): Promise<boolean> => {
  const [other, patient] = [said, subject].map((reference) => readReference(reference?.reference ?? '', baseUrl));
  return other !== undefined && patient !== undefined && (await goesOnAs((key) => facts.find(key, 'all'), patient, other, baseUrl));
};

const attachedAtMost = 20;

/** Whether a document about another patient has the file: whoever may read one of the two would read it. */
const isOfOtherRecord = async (facts: Facts, binary: string, subject: Reference): Promise<boolean> => {
  const where = [{ kind: 'text' as const, param: 'location', mode: 'exact' as const, any: [`Binary/${binary}`] }];
  const documents = await facts.search({ type: 'DocumentReference', where, count: attachedAtMost }, 'all');
  return documents.some(({ resource }) => {
    const { reference } = (resource as unknown as DocumentReference).subject ?? {};
    return reference !== undefined && reference !== subject.reference;
  });
};

/** Gathers the Binary of each file, and whether another request has it already. */
const gatherGiven = async (
  { facts, baseUrl }: Situation,
  { documents, expression }: GivenFiles,
  to: { readonly request: string; readonly subject: Reference },
): Promise<readonly GivenAttachment[]> =>
  Promise.all(
    documents.map(async (document, index) => {
      const key = readReference(attachmentOf(document)?.url ?? '', baseUrl);
      const binary = key?.type === 'Binary' ? await facts.find({ type: 'Binary', id: key.id }) : undefined;
      const uploadedFor = (binary?.resource['securityContext'] as Reference | undefined)?.reference;
      return {
        document,
        binary,
        elsewhere:
          (uploadedFor !== undefined && uploadedFor !== `ServiceRequest/${to.request}`) ||
          (binary !== undefined && (await isOfOtherRecord(facts, binary.id, to.subject))),
        ofOther: isOfOther(document.subject, to.subject, baseUrl) && !(await isOfLater(facts, document.subject, to.subject, baseUrl)),
        expression: `${expression}[${String(index)}]`,
      };
    }),
  );

/** What the server says of a file, whatever its sender does. */
const servers: readonly string[] = [
  extensions.availabilityStatus,
  extensions.attachedByOrganisation,
  extensions.attachedBy,
  extensions.attachedOnBehalfOf,
];

const identified = (url: string, system: string, value: string | undefined): readonly Extension[] =>
  value === undefined ? [] : [{ url, valueReference: { identifier: { system, value } } }];

const attached = (
  given: GivenAttachment,
  { type, request, subject }: { readonly type: AttachmentType; readonly request: string; readonly subject: ServiceRequest['subject'] },
  { caller, newId, now }: Situation,
): Draft => {
  const { document, binary } = given;
  const attachment = attachmentOf(document);
  return created(
    {
      ...document,
      resourceType: 'DocumentReference',
      extension: [
        ...(document.extension ?? []).filter(({ url }) => !servers.includes(url)),
        { url: extensions.availabilityStatus, valueCoding: { system: systems.availability, code: 'AVAILABLE' } },
        ...identified(extensions.attachedByOrganisation, systems.organisation, caller.organisation),
        ...identified(extensions.attachedBy, systems.sdsUser, caller.user),
        ...identified(extensions.attachedOnBehalfOf, systems.sdsUser, caller.onBehalfOf),
      ],
      status: 'current',
      type: { coding: [{ system: systems.attachmentType, code: type }] },
      subject,
      date: document.date ?? now,
      content: [{ attachment: { ...attachment, url: `Binary/${binary?.id ?? ''}` } }],
      context: { ...document.context, related: [{ reference: `ServiceRequest/${request}` }] },
    },
    newId(),
  );
};

/**
 * The files of an operation as DocumentReferences of the request. Refuses with the codes of e-RS (attachment rules); names are unique
 * among all files of the request that stay.
 */
export const attachFiles = async (
  situation: Situation,
  files: GivenFiles,
  to: {
    readonly type: AttachmentType;
    readonly request: string;
    readonly subject: ServiceRequest['subject'];
    readonly existing: readonly Found[];
  },
): Promise<readonly Draft[]> => {
  const given = await gatherGiven(situation, files, to);
  const titles = to.existing.flatMap((found) => attachmentOf(found.resource as unknown as DocumentReference)?.title ?? []);
  refuseBreaches(attachmentRules, { given, titles });
  return given.map((one) => attached(one, to, situation));
};

const signature = (document: DocumentReference, baseUrl: string): string => {
  const attachment = attachmentOf(document);
  const id = readReference(attachment?.url ?? '', baseUrl)?.id;
  return `${id ?? ''}|${attachment?.title ?? ''}|${document.description ?? ''}`;
};

/** A012: the whole set of the referrer's files anew. What stays keeps its DocumentReference; what goes is superseded. */
export const replaceFiles = async (
  situation: Situation,
  files: GivenFiles,
  to: {
    readonly type: AttachmentType;
    readonly request: string;
    readonly subject: ServiceRequest['subject'];
    readonly existing: readonly Found[];
  },
): Promise<{ readonly drafts: readonly Draft[]; readonly changed: boolean; readonly left: number }> => {
  const own = to.existing.filter((found) => isOfType(to.type, found));
  const others = to.existing.filter((found) => !own.includes(found));
  const before = new Map(own.map((found) => [signature(found.resource as unknown as DocumentReference, situation.baseUrl), found]));
  const wanted = files.documents.map((document) => signature(document, situation.baseUrl));
  const fresh = files.documents.filter((_, index) => !before.has(wanted[index] ?? ''));
  const kept = own.filter((found) => wanted.includes(signature(found.resource as unknown as DocumentReference, situation.baseUrl)));
  const gone = own.filter((found) => !kept.includes(found));
  const added = await attachFiles(situation, { ...files, documents: fresh }, { ...to, existing: [...others, ...kept] });
  return {
    drafts: [...added, ...gone.map((found) => changed(found, { ...found.resource, status: 'superseded' }))],
    changed: added.length + gone.length > 0,
    left: added.length + kept.length,
  };
};
