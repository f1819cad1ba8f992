export const VERIFICATION = '1.2.840.10008.1.1';
export const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2';
export const ENHANCED_CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2.1';
export const LEGACY_CONVERTED_ENHANCED_CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2.2';

/** What comes with a CT study: images, reports and what refers to them (PS3.4 Table B.5-1). */
export const CT_STUDY_SOP_CLASSES: ReadonlyMap<string, string> = new Map([
  [CT_IMAGE, 'CT Image'],
  [ENHANCED_CT_IMAGE, 'Enhanced CT Image'],
  [LEGACY_CONVERTED_ENHANCED_CT_IMAGE, 'Legacy Converted Enhanced CT Image'],
  ['1.2.840.10008.5.1.4.1.1.7', 'Secondary Capture Image'],
  ['1.2.840.10008.5.1.4.1.1.7.1', 'Multi-frame Single Bit Secondary Capture Image'],
  ['1.2.840.10008.5.1.4.1.1.7.2', 'Multi-frame Grayscale Byte Secondary Capture Image'],
  ['1.2.840.10008.5.1.4.1.1.7.3', 'Multi-frame Grayscale Word Secondary Capture Image'],
  ['1.2.840.10008.5.1.4.1.1.7.4', 'Multi-frame True Color Secondary Capture Image'],
  ['1.2.840.10008.5.1.4.1.1.11.1', 'Grayscale Softcopy Presentation State'],
  ['1.2.840.10008.5.1.4.1.1.11.2', 'Color Softcopy Presentation State'],
  ['1.2.840.10008.5.1.4.1.1.11.3', 'Pseudo-Color Softcopy Presentation State'],
  ['1.2.840.10008.5.1.4.1.1.11.4', 'Blending Softcopy Presentation State'],
  ['1.2.840.10008.5.1.4.1.1.88.11', 'Basic Text SR'],
  ['1.2.840.10008.5.1.4.1.1.88.22', 'Enhanced SR'],
  ['1.2.840.10008.5.1.4.1.1.88.33', 'Comprehensive SR'],
  ['1.2.840.10008.5.1.4.1.1.88.34', 'Comprehensive 3D SR'],
  ['1.2.840.10008.5.1.4.1.1.88.35', 'Extensible SR'],
  ['1.2.840.10008.5.1.4.1.1.88.59', 'Key Object Selection Document'],
  ['1.2.840.10008.5.1.4.1.1.88.67', 'X-Ray Radiation Dose SR'],
  ['1.2.840.10008.5.1.4.1.1.104.1', 'Encapsulated PDF'],
]);

/** Every standard Storage SOP Class of composite objects lies under this root, those still to come too. */
const STORAGE_ROOT = '1.2.840.10008.5.1.4.1.1.';

export function isStorageSopClass(uid: string): boolean {
  return uid.startsWith(STORAGE_ROOT);
}
