/** Status of a C-STORE or C-ECHO response (PS3.7 Annex C, PS3.4 Table B.2-1). */
export const Status = {
  Success: 0x0000,
  InvalidObjectInstance: 0x0117,
  SopClassNotSupported: 0x0122,
  UnrecognizedOperation: 0x0211,
  OutOfResources: 0xa700,
  DataSetDoesNotMatchSopClass: 0xa900,
  CannotUnderstand: 0xc000,
} as const;
