import type { DocumentReference, Extension, Reference, ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { extensions, systems } from '../codes.js';
import { changed, created, type Draft, type Facts, type Found } from '../command.js';
import { goesOnAs, isOfOtherPatient } from '../demographics/demographics.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { attachmentOf, attachmentRules, type GivenAttachment } from './attachment-rules.js';
import { attachmentTypeOf, isOfType, type AttachmentType } from './attachment-type.js';
import { fileNameOf, uploadedForOf } from './availability.js';

/**
 * What was given as files: DocumentReferences whose Binary was uploaded before, or such that are attached already. `expression`: where they
 * stand, when they are not what was sent itself.
 */
export type GivenFiles = { readonly documents: readonly DocumentReference[]; readonly expression?: string | undefined };

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

const binaryOf = async ({ facts, baseUrl }: Situation, document: DocumentReference): Promise<Found | undefined> => {
  const key = readReference(attachmentOf(document)?.url ?? '', baseUrl);
  return key?.type === 'Binary' ? facts.find({ type: 'Binary', id: key.id }) : undefined;
};

/** The document with the name that its file was uploaded under, when it says none itself. */
const withName = (document: DocumentReference, binary: Found | undefined): DocumentReference => {
  const attachment = attachmentOf(document);
  const title = fileNameOf(binary?.resource);
  if (title === undefined || attachment === undefined || (attachment.title ?? '').trim() !== '') return document;
  return { ...document, content: [{ ...document.content[0], attachment: { ...attachment, title } }, ...document.content.slice(1)] };
};

/** A request and its referral once it is converted have one id but for the letter before it (A027). */
const pathOf = (request: string): string => request.slice(request.indexOf('.') + 1);

/** Whether a document says that it belongs to another request. */
const isToOther = ({ context }: DocumentReference, request: string, baseUrl: string): boolean =>
  (context?.related ?? []).some(({ reference = '' }) => {
    const key = readReference(reference, baseUrl);
    return key?.type === 'ServiceRequest' && pathOf(key.id) !== pathOf(request);
  });

/** What files are attached to, and as what. */
export type AttachedTo = {
  /** undefined: as none of e-RS's types */
  readonly type: AttachmentType | undefined;
  readonly request: string;
  readonly subject: ServiceRequest['subject'];
  /** the documents that it has */
  readonly existing: readonly Found[];
};

/** Gathers the Binary of each file, and whether another request has it already. */
export const gatherGiven = async (
  situation: Situation,
  { documents, expression }: GivenFiles,
  to: AttachedTo,
): Promise<readonly GivenAttachment[]> => {
  const { facts, baseUrl } = situation;
  return Promise.all(
    documents.map(async (sent, index) => {
      const binary = await binaryOf(situation, sent);
      const document = withName(sent, binary);
      const uploadedFor = uploadedForOf(binary?.resource);
      return {
        document,
        binary,
        elsewhere:
          (uploadedFor !== undefined && pathOf(uploadedFor) !== pathOf(to.request)) ||
          (binary !== undefined && (await isOfOtherRecord(facts, binary.id, to.subject))),
        ofOther:
          isOfOtherPatient(document.subject, to.subject, baseUrl) && !(await isOfLater(facts, document.subject, to.subject, baseUrl)),
        toOther: isToOther(document, to.request, baseUrl),
        ofOtherType: ![to.type, undefined].includes(attachmentTypeOf(document)),
        expression: expression === undefined ? undefined : `${expression}[${String(index)}]`,
      };
    }),
  );
};

/** The names of the files that a request has. */
export const titlesOf = (existing: readonly Found[]): readonly string[] =>
  existing.flatMap(({ resource }) => attachmentOf(resource as unknown as DocumentReference)?.title ?? []);

/** What the server says of a file, whatever its sender does. */
export const serversMarks: readonly string[] = [
  extensions.availabilityStatus,
  extensions.attachedByOrganisation,
  extensions.attachedBy,
  extensions.attachedOnBehalfOf,
];

const identified = (url: string, system: string, value: string | undefined): readonly Extension[] =>
  value === undefined ? [] : [{ url, valueReference: { identifier: { system, value } } }];

/** What the server says of a file that the caller attaches, in place of what he says of it. */
export const withServersMarks = ({ extension = [] }: DocumentReference, { caller }: Situation): readonly Extension[] => [
  ...extension.filter(({ url }) => !serversMarks.includes(url)),
  { url: extensions.availabilityStatus, valueCoding: { system: systems.availability, code: 'AVAILABLE' } },
  ...identified(extensions.attachedByOrganisation, systems.organisation, caller.organisation),
  ...identified(extensions.attachedBy, systems.sdsUser, caller.user),
  ...identified(extensions.attachedBy, systems.nhsNumber, caller.patient),
  ...identified(extensions.attachedOnBehalfOf, systems.sdsUser, caller.onBehalfOf),
];

const attached = (given: GivenAttachment, { type, request, subject }: AttachedTo, situation: Situation): Draft => {
  const { document, binary } = given;
  const attachment = attachmentOf(document);
  return created(
    {
      ...document,
      resourceType: 'DocumentReference',
      extension: withServersMarks(document, situation),
      status: 'current',
      type: { coding: [{ system: systems.attachmentType, code: type }] },
      subject,
      date: document.date ?? situation.now,
      content: [{ attachment: { ...attachment, url: `Binary/${binary?.id ?? ''}` } }],
      context: { ...document.context, related: [{ reference: `ServiceRequest/${request}` }] },
    },
    situation.newId(),
  );
};

/**
 * The files of an operation as DocumentReferences of the request. Refuses with the codes of e-RS (attachment rules); names are unique
 * among all files of the request that stay.
 */
export const attachFiles = async (situation: Situation, files: GivenFiles, to: AttachedTo): Promise<readonly Draft[]> => {
  const given = await gatherGiven(situation, files, to);
  refuseBreaches(attachmentRules, { given, titles: titlesOf(to.existing) });
  return given.map((one) => attached(one, to, situation));
};

const signature = (document: DocumentReference, baseUrl: string): string => {
  const attachment = attachmentOf(document);
  const id = readReference(attachment?.url ?? '', baseUrl)?.id;
  return `${id ?? ''}|${attachment?.title ?? ''}|${document.description ?? ''}`;
};

/**
 * A012: the whole set of the referrer's files anew. What stays keeps its DocumentReference; what goes is superseded. At least one stays, and
 * something changes.
 */
export const replaceFiles = async (
  situation: Situation,
  { documents, expression }: GivenFiles,
  to: AttachedTo & { readonly type: AttachmentType },
): Promise<readonly Draft[]> => {
  const own = to.existing.filter((found) => isOfType(to.type, found));
  const others = to.existing.filter((found) => !own.includes(found));
  const before = new Map(own.map((found) => [signature(found.resource as unknown as DocumentReference, situation.baseUrl), found]));
  const named = await Promise.all(documents.map(async (document) => withName(document, await binaryOf(situation, document))));
  const wanted = named.map((document) => signature(document, situation.baseUrl));
  const fresh = named.filter((_, index) => !before.has(wanted[index] ?? ''));
  const kept = own.filter((found) => wanted.includes(signature(found.resource as unknown as DocumentReference, situation.baseUrl)));
  const gone = own.filter((found) => !kept.includes(found));
  const added = await attachFiles(situation, { documents: fresh, expression }, { ...to, existing: [...others, ...kept] });
  if (added.length + kept.length === 0)
    throw refusal('business-rule', 'required', 'MISSING_VALUE', 'At least one attachment of the referrer stays.', expression);
  if (added.length + gone.length === 0)
    throw refusal('business-rule', 'business-rule', 'NO_CHANGES_DETECTED', 'The attachments are these already.', expression);
  return [...added, ...gone.map((found) => changed(found, { ...found.resource, status: 'superseded' }))];
};
