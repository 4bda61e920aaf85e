import type { Attachment, DocumentReference, DocumentReferenceContent } from 'fhir/r4.js';
import type { Found } from '../command.js';
import type { Breach, Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import { lengthOf } from '../text.js';
import { availabilityOf } from './availability.js';
import { mediaTypesOf } from './file-types.js';

export type GivenAttachment = {
  readonly document: DocumentReference;
  readonly binary: Found | undefined;
  /** it was uploaded for another request, or is in the record of another patient */
  readonly elsewhere: boolean;
  /** it is about another patient */
  readonly ofOther: boolean;
  /** it says that it belongs to another request */
  readonly toOther: boolean;
  /** it says a type of attachment that this step does not make */
  readonly ofOtherType: boolean;
  /** where it stands, when it is not the resource itself */
  readonly expression: string | undefined;
};

/** `titles`: the names of the files that the request has besides. */
export type GivenAttachments = { readonly given: readonly GivenAttachment[]; readonly titles: readonly string[] };

const descriptionAtMost = 200;
const nameAtMost = 255;

/** The file of a document, which may come in Parameters without what R4 asks for. */
export const attachmentOf = ({ content }: Partial<DocumentReference>): Partial<Attachment> | undefined =>
  (content?.[0] as Partial<DocumentReferenceContent> | undefined)?.attachment;

const titleOf = ({ document }: GivenAttachment): string | undefined => attachmentOf(document)?.title;
/** The media types that a document and its bytes say, without parameters. */
const typesOf = ({ document, binary }: GivenAttachment): readonly string[] =>
  [attachmentOf(document)?.contentType, binary?.resource['contentType'] as string | undefined].flatMap((type) =>
    type === undefined ? [] : (type.split(';')[0] ?? '').trim().toLowerCase(),
  );
const each = (check: (one: GivenAttachment) => string | undefined): ((x: GivenAttachments) => readonly Breach[]) => {
  return ({ given }) =>
    given.flatMap((one) => {
      const text = check(one);
      return unless(text === undefined, text ?? '', one.expression);
    });
};

const uploaded: Rule<GivenAttachments> = {
  code: 'REFERENCE_NOT_FOUND',
  expression: 'DocumentReference.content',
  issue: 'not-found',
  evaluate: each(({ binary }) => (binary ? undefined : 'The file must be a Binary that was uploaded before.')),
};

const forThisRequest: Rule<GivenAttachments> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'DocumentReference.content',
  evaluate: each(({ elsewhere }) => (elsewhere ? 'The file is of another request.' : undefined)),
};

const ofThePatient: Rule<GivenAttachments> = {
  code: 'CONFLICTING_VALUES',
  expression: 'DocumentReference.subject',
  evaluate: each(({ ofOther }) => (ofOther ? 'The file is about another patient than the request.' : undefined)),
};

const toTheRequest: Rule<GivenAttachments> = {
  code: 'CONFLICTING_VALUES',
  expression: 'DocumentReference.context.related',
  evaluate: each(({ toOther }) => (toOther ? 'The document says that it belongs to another request.' : undefined)),
};

const ofTheType: Rule<GivenAttachments> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'DocumentReference.type',
  evaluate: each(({ ofOtherType }) => (ofOtherType ? 'Files of that type (eRS-AttachmentType) are not attached here.' : undefined)),
};

const isCurrent: Rule<GivenAttachments> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'DocumentReference.status',
  evaluate: each(({ document: { status } }) =>
    ['current', undefined].includes(status) ? undefined : `A document that is ${status} is not attached.`,
  ),
};

const oneFile: Rule<GivenAttachments> = {
  code: 'TOO_MANY_ITEMS',
  expression: 'DocumentReference.content',
  evaluate: each(({ document }) =>
    ((document.content as unknown[] | undefined) ?? []).length > 1 ? 'A document has one file.' : undefined,
  ),
};

const named: Rule<GivenAttachments> = {
  code: 'MISSING_VALUE',
  expression: 'DocumentReference.content.attachment.title',
  issue: 'required',
  evaluate: each((one) => ((titleOf(one) ?? '').trim() === '' ? 'attachment.title must be the name of the file.' : undefined)),
};

const shortName: Rule<GivenAttachments> = {
  code: 'INVALID_VALUE',
  expression: 'DocumentReference.content.attachment.title',
  evaluate: each((one) =>
    lengthOf(titleOf(one) ?? '') > nameAtMost ? `A file name has at most ${String(nameAtMost)} characters.` : undefined,
  ),
};

const uniqueNames: Rule<GivenAttachments> = {
  code: 'DUPLICATE_FILENAME',
  expression: 'DocumentReference.content.attachment.title',
  issue: 'duplicate',
  evaluate: ({ given, titles }) => {
    const seen = new Set(titles);
    return given.flatMap((one) => {
      const title = titleOf(one);
      if (title === undefined) return [];
      const twice = seen.has(title);
      seen.add(title);
      return unless(!twice, `The request has two files of the name ${title}.`, one.expression);
    });
  },
};

const knownType: Rule<GivenAttachments> = {
  code: 'INVALID_VALUE',
  expression: 'DocumentReference.content.attachment.title',
  evaluate: each((one) => {
    const title = titleOf(one);
    return title === undefined || mediaTypesOf(title) ? undefined : `Files like ${title} are not taken.`;
  }),
};

const matchingType: Rule<GivenAttachments> = {
  code: 'CONFLICTING_VALUES',
  expression: 'DocumentReference.content.attachment.contentType',
  evaluate: each((one) => {
    const allowed = mediaTypesOf(titleOf(one) ?? '');
    const other = allowed && typesOf(one).find((type) => !allowed.includes(type));
    return other === undefined ? undefined : `${titleOf(one) ?? ''} is not of the type ${other}.`;
  }),
};

const shortDescription: Rule<GivenAttachments> = {
  code: 'INVALID_VALUE',
  expression: 'DocumentReference.description',
  evaluate: each(({ document }) =>
    lengthOf(document.description ?? '') > descriptionAtMost
      ? `A description has at most ${String(descriptionAtMost)} characters.`
      : undefined,
  ),
};

const scanned = (code: 'PENDING' | 'THREATS_FOUND' | 'VALIDATION_FAILED', text: string): Rule<GivenAttachments> => ({
  code,
  expression: 'DocumentReference.content',
  evaluate: each(({ binary }) => (availabilityOf(binary?.resource) === code ? text : undefined)),
});

/** What holds for every file of a request, whichever way it comes. */
export const fileRules: readonly Rule<GivenAttachments>[] = [
  oneFile,
  forThisRequest,
  ofThePatient,
  ofTheType,
  isCurrent,
  shortName,
  uniqueNames,
  matchingType,
  shortDescription,
  scanned('PENDING', 'The file is still being scanned.'),
  scanned('THREATS_FOUND', 'The scan found a threat in the file.'),
  scanned('VALIDATION_FAILED', 'The file could not be validated.'),
];

/** e-RS facts, attachments: what an operation takes as files. */
export const attachmentRules: readonly Rule<GivenAttachments>[] = [uploaded, named, knownType, toTheRequest, ...fileRules];
