/** The files that e-RS takes (A020): by the ending of the name, the media types that go with it. */
const fileTypes: Readonly<Record<string, readonly string[]>> = {
  txt: ['text/plain'],
  pdf: ['application/pdf'],
  xml: ['application/xml', 'text/xml'],
  rtf: ['application/rtf', 'text/rtf', 'text/richtext'],
  rtx: ['text/richtext', 'text/rtf', 'application/rtf'],
  au: ['audio/basic'],
  mp3: ['audio/mpeg', 'audio/mp3'],
  png: ['image/png'],
  gif: ['image/gif'],
  jpg: ['image/jpeg'],
  jpe: ['image/jpeg'],
  jpeg: ['image/jpeg'],
  tif: ['image/tiff'],
  tiff: ['image/tiff'],
  mpg: ['video/mpeg'],
  mpeg: ['video/mpeg'],
  mpe: ['video/mpeg'],
  doc: ['application/msword'],
  docx: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  dcm: ['application/dicom'],
};

/** The media types of a file of that name; undefined for names whose ending is not taken. */
export const mediaTypesOf = (name: string): readonly string[] | undefined => {
  const ending = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase();
  return ending !== undefined && Object.hasOwn(fileTypes, ending) ? fileTypes[ending] : undefined;
};

const taken = new Set(Object.values(fileTypes).flat());

/** Whether files of a media type (without its parameters) are taken. */
export const isTaken = (mediaType: string): boolean => taken.has(mediaType);
