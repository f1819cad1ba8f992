/**
 * Status of a DIMSE response (PS3.7 Annex C, PS3.4 Table B.2-1); those of the N-services are Failure Reasons of storage
 * commitment too (PS3.3 C.14.1.1).
 */
export const Status = {
  Success: 0x0000,
  InvalidAttributeValue: 0x0106,
  ProcessingFailure: 0x0110,
  DuplicateSopInstance: 0x0111,
  NoSuchObjectInstance: 0x0112,
  NoSuchEventType: 0x0113,
  InvalidArgumentValue: 0x0115,
  InvalidObjectInstance: 0x0117,
  ClassInstanceConflict: 0x0119,
  MissingAttribute: 0x0120,
  MissingAttributeValue: 0x0121,
  SopClassNotSupported: 0x0122,
  NoSuchActionType: 0x0123,
  DuplicateTransactionUid: 0x0131,
  UnrecognizedOperation: 0x0211,
  ResourceLimitation: 0x0213,
  OutOfResources: 0xa700,
  DataSetDoesNotMatchSopClass: 0xa900,
  CannotUnderstand: 0xc000,
} as const;
