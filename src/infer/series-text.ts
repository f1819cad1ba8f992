import type { InstanceHeader } from '../domain/instance.js';

/**
 * What free text and kernel names say of a series. They are written by people and vendors, in several languages, so
 * each pattern is one line that can be read, and tested, by itself.
 */
const WITHOUT_CONTRAST = [
  /\b(without|w\s?\/?\s?o|non?|sans|ohne|sin|senza|sem|zonder)[\s./-]*(iv|i\.v\.)?[\s./-]*(contrast\w*|kontrast\w*|km|cm|con|c|inj\w*|pdc|enhance\w*|ce)?(?=$|[\s,;)])/g,
  /\b(noncon(trast)?|unenhanced|nativ[eo]?|plain|ncct|nect|nc|pre-?\s?contrast|virgin)\b/g,
  /(^|\s)(c-|-c)(?=$|\s)/g,
];

const WITH_CONTRAST = [
  /\b(contrast\w*|kontrast\w*|km|enhanced|cect|ivc|gado\w*|iodin\w+ contrast)\b/,
  /\b(with|w\/|w|avec|mit|con)\s?(iv|c|inj\w*)\b/,
  /(^|\s)(c\+|\+c|\+\s?km)(?=$|\s)/,
  /\bpost[\s-]?(c|con|inj\w*|gad|iv|km)\b/,
  /\b(arterial|venous|portal|delayed|art|ven)(\s?phase)?\b/,
  /\b(angio\w*|cta|ctv|carotid\w*|willis|cow)\b/,
  /\b(ctp|perf\w*|cbf|cbv|mtt|ttp|tmax|dynamic|vpct)\b/,
  /\b(bolus|tracker|(pre)?monitoring|timing|smart\s?prep)\b/,
];

const PROJECTION =
  /\b(t?mip|minip|vrt?|volume\s?render\w*|ssd|3d\s?(render\w*|recon\w*)|projection)\b/;
const SPECTRAL =
  /\b(iodine|vnc|virtual|z\s?eff\w*|effective\s?z|mono(e|energetic|\+)?|\d+\s?kev|kev|spectral|gsi|electron density|overlay|rho)\b/;
const SCREEN =
  /\b(dose\s?(report|info\w*|record|summary|page)|patient\s?protocol|screen\s?save\w*|summary|protocol page)\b/;
const HEAD =
  /\b(head|brain|skull|cran\w*|kopf|sch(ae|ä|a)del\w*|hirn|cerebr\w*|cerveau|cr[aâ]n\w*|t[eê]te|cabeza|testa|hoofd|neuro|nch)/;
const OTHER_REGION =
  /\b(chest|thorax|lung\w*|abd\w*|pelvis|becken|liver|kidney\w*|[ctl]?\s?-?spine|lumbar|cervical|thoracic|hws|lws|bws|knee|hip|shoulder|ankle|wrist|foot|hand|heart|cardiac|coronary|neck|hals|extremity|aorta|femur|tibia)\b/;
/** Studies of the face and the skull's bones show the lower part of the brain only, under a head's body part. */
const FACE =
  /\b(sinus\w*|pns|nnh|orbit\w*|face|facial|temporal\s?bones?|petrous|felsenbein\w*|iacs?|mastoid\w*|mandib\w*|maxill\w*|dental|nasal|tmj)\b/;
const SHARP =
  /\b(bone\w*|knochen|osseux|os|hueso|ossea|sharp|lung|edge|detail|petrous|felsenbein|y-?sharp)\b/;
const SOFT = /\b(brain|soft|std\+?|standard|smooth|hirn|weich\w*|parench\w*|cerebr\w*|st)\b/;

/** ImageType values after the second that mark something else than plain slices (vendors' own and PS3.3 C.8.16.1). */
const PROJECTION_TYPES = [
  'MIP',
  'MINIP',
  'PROJECTION IMAGE',
  'VOLUME RENDERED',
  'MAX_IP',
  'MIN_IP',
  'VRT',
];
const CONTRAST_TYPES = ['ANGIO', 'PERFUSION', 'SUBTRACTION', 'CBF', 'CBV', 'MTT', 'TTP'];
const SPECTRAL_TYPES = [
  'VMI',
  'IODINE',
  'VNC',
  'VIRTUAL_NC',
  'ZEFF',
  'EFF_ATOMIC_NUM',
  'ELECTRON_DENSITY',
  'MAT_SPECIFIC',
  'ENERGY_PROP_WT',
];

const NO_AGENT = /^(|no|none|nil|n\/?a|n|0|-+|false|unknown|keine?|aucun|no(ne)? given|not given)$/;

export type KernelClass = 'soft' | 'unknown' | 'sharp';

export function tellsContrast(header: InstanceHeader): boolean {
  const agent = withoutContrastPhrases(words(header.contrastBolusAgent)).trim();
  if (!NO_AGENT.test(agent)) return true;
  if (header.imageType.slice(2).some((type) => CONTRAST_TYPES.includes(type))) return true;
  const description = words(header.seriesDescription);
  const rest = withoutContrastPhrases(description);
  if (WITH_CONTRAST.some((pattern) => pattern.test(rest))) return true;
  // A protocol is often named for the whole study: what the series says of itself comes first.
  if (rest !== description) return false;
  const protocol = words(header.protocolName);
  const protocolRest = withoutContrastPhrases(protocol);
  return rest === '' && protocolRest === protocol && WITH_CONTRAST.some((p) => p.test(protocol));
}

export function tellsProjection(header: InstanceHeader): boolean {
  return (
    header.imageType.slice(2).some((type) => PROJECTION_TYPES.includes(type)) ||
    PROJECTION.test(words(header.seriesDescription))
  );
}

export function tellsSpectral(header: InstanceHeader): boolean {
  return (
    header.spectral === true ||
    header.imageType.slice(2).some((type) => SPECTRAL_TYPES.includes(type)) ||
    SPECTRAL.test(words(header.seriesDescription))
  );
}

export function tellsScreenSave(header: InstanceHeader): boolean {
  return (
    header.imageType.slice(2).some((type) => type.startsWith('SCREEN')) ||
    SCREEN.test(words(header.seriesDescription))
  );
}

/** Whether the texts speak of the head, of another region, or of neither. */
export function regionOf(header: InstanceHeader): 'head' | 'unknown' | 'other' {
  const description = words(header.seriesDescription);
  if (FACE.test(description) && !HEAD.test(description)) return 'other';
  const own = `${description} ${words(header.bodyPartExamined)}`;
  if (HEAD.test(own)) return 'head';
  const all = `${own} ${words(header.protocolName)} ${words(header.studyDescription)}`;
  if (OTHER_REGION.test(own)) return HEAD.test(all) ? 'unknown' : 'other';
  return HEAD.test(all) ? 'head' : 'unknown';
}

/** Convolution Kernel by vendor: GE by word, Siemens by number, Canon by FC number, Philips by letters. */
export function kernelClass(header: InstanceHeader): KernelClass {
  const kernel = words(header.convolutionKernel);
  const siemens = /^[a-z]{1,2}(\d\d)[a-z]?\b/.exec(kernel)?.[1];
  const canon = /^fc\s?(\d\d)/.exec(kernel)?.[1];
  if (canon !== undefined) return /^[358]/.test(canon) ? 'sharp' : 'soft';
  if (siemens !== undefined) return Number(siemens) >= 50 ? 'sharp' : 'soft';
  for (const text of [kernel, words(header.seriesDescription)]) {
    if (SHARP.test(text)) return 'sharp';
    if (SOFT.test(text)) return 'soft';
  }
  if (/^(y[a-e]|l|d|e|eb|ec)$/.test(kernel)) return 'sharp';
  return /^(ua|ub|uc|a|b|c|sa|sb|hb)$/.test(kernel) ? 'soft' : 'unknown';
}

function words(text: string | undefined): string {
  return (text ?? '')
    .toLowerCase()
    .replaceAll(/[_^|:]+/g, ' ')
    .trim();
}

function withoutContrastPhrases(text: string): string {
  return WITHOUT_CONTRAST.reduce((rest, pattern) => rest.replaceAll(pattern, ' '), text)
    .replaceAll(/\s+/g, ' ')
    .trim();
}
