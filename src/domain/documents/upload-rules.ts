import { unless, type Rule } from '../rules/rule.js';
import { lengthOf } from '../text.js';
import { isTaken, mediaTypesOf } from './file-types.js';

/** A file as it comes (A020): what its headers say, its size, and the request that it is meant for. */
export type GivenUpload = {
  readonly mediaType: string;
  readonly fileName: string | undefined;
  readonly size: number;
  /** NHSD-eRS-Referral-ID as it was sent */
  readonly ubrn: string | undefined;
  /** whether the caller may see a request with that UBRN */
  readonly requestFound: boolean;
};

/** The headers of e-RS that come with a file. */
export const uploadHeaders = { fileName: 'NHSD-eRS-File-Name', referral: 'NHSD-eRS-Referral-ID' } as const;
const nameAtMost = 255;

const takenType: Rule<GivenUpload> = {
  code: 'INVALID_VALUE',
  expression: 'Content-Type',
  category: 'media-type',
  issue: 'not-supported',
  evaluate: ({ mediaType }) => unless(isTaken(mediaType), `Files of the type ${mediaType} are not taken.`),
};

const shortName: Rule<GivenUpload> = {
  code: 'INVALID_VALUE',
  expression: uploadHeaders.fileName,
  issue: 'too-long',
  evaluate: ({ fileName }) => unless(lengthOf(fileName ?? '') <= nameAtMost, `A file name has at most ${String(nameAtMost)} characters.`),
};

// eslint-disable-next-line no-control-regex -- what no file system and no header takes
const notInNames = /[\u0000-\u001f\u007f/\\]/;

const plainName: Rule<GivenUpload> = {
  code: 'INVALID_VALUE',
  expression: uploadHeaders.fileName,
  evaluate: ({ fileName }) => unless(fileName === undefined || !notInNames.test(fileName), 'A file name has no path.'),
};

const knownEnding: Rule<GivenUpload> = {
  code: 'INVALID_VALUE',
  expression: uploadHeaders.fileName,
  evaluate: ({ fileName }) =>
    unless(fileName === undefined || mediaTypesOf(fileName) !== undefined, `Files like ${fileName ?? ''} are not taken.`),
};

const endingOfType: Rule<GivenUpload> = {
  code: 'CONFLICTING_VALUES',
  expression: uploadHeaders.fileName,
  evaluate: ({ fileName, mediaType }) => {
    const types = mediaTypesOf(fileName ?? '');
    return unless(!types || !isTaken(mediaType) || types.includes(mediaType), `${fileName ?? ''} is not of the type ${mediaType}.`);
  },
};

const ubrnForm: Rule<GivenUpload> = {
  code: 'INVALID_VALUE',
  expression: uploadHeaders.referral,
  evaluate: ({ ubrn }) => unless(ubrn === undefined || /^\d{12}$/.test(ubrn), 'A UBRN is twelve digits.'),
};

const requestThere: Rule<GivenUpload> = {
  code: 'REFERENCE_NOT_FOUND',
  expression: uploadHeaders.referral,
  issue: 'not-found',
  evaluate: ({ ubrn, requestFound }) =>
    unless(ubrn === undefined || !/^\d{12}$/.test(ubrn) || requestFound, 'There is no request with this UBRN.'),
};

const notEmpty: Rule<GivenUpload> = {
  code: 'FILE_SIZE_ERROR',
  expression: 'Binary.data',
  evaluate: ({ size }) => unless(size > 0, 'The file is empty.'),
};

/** What is said before the bytes are read. */
export const uploadRules: readonly Rule<GivenUpload>[] = [
  takenType,
  shortName,
  plainName,
  knownEnding,
  endingOfType,
  ubrnForm,
  requestThere,
];
/** What is said when they are there. */
export const uploadedRules: readonly Rule<GivenUpload>[] = [notEmpty];
