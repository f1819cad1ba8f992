import type { Reason } from '../domain/finding.js';

/** Why a series was read, could be read, or was not: every code that this stage gives. */
const TEXTS = {
  analysed: 'The series was read',
  eligible: 'A non-contrast head CT; another series was preferred',
  'still-arriving': 'Not yet whole when another series was read',
  'not-ct': 'The modality is not CT',
  'not-an-image': 'The series holds no CT images',
  localizer: 'A localizer',
  'secondary-capture': 'Secondary captures or screen saves, not slices',
  'derived-view': 'A projection or rendering, not slices',
  'too-few-slices': 'Fewer than 8 slice positions',
  'mixed-orientations': 'The slices lie in different planes',
  'not-axial': 'The slices are not axial',
  'no-geometry': 'Position or orientation of the slices is missing',
  'mixed-images': 'The slices differ in size or reconstruction',
  'several-phases': 'The same positions were acquired more than once',
  contrast: 'A contrast agent or a contrast study',
  spectral: 'A spectral map or virtual image',
  'not-monochrome': 'The images are not monochrome',
  'wrong-body-part': 'The description names another body region',
  'coverage-too-small': 'The slices cover too little of the head',
  'coverage-too-large': 'The slices cover more than head and neck',
  'not-a-head': 'The pixels do not show a head in Hounsfield units',
} as const;

export type ReasonCode = keyof typeof TEXTS;

export const REASONS = Object.fromEntries(
  Object.entries(TEXTS).map(([code, text]) => [code, { code, text }]),
) as Readonly<Record<ReasonCode, Reason & { readonly code: ReasonCode }>>;
