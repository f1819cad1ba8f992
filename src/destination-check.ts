import type { Settings } from './config/settings.js';
import type { Peer } from './deliver/association.js';
import { askWhatIsTaken, type ClassAnswer, KIND_CLASSES } from './deliver/peer-check.js';
import { STUDY_ROOT_FIND } from './dicom/sop-classes.js';
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  TRANSFER_SYNTAXES,
} from './dicom/transfer-syntaxes.js';
import type { StorableKind } from './domain/result-object.js';
import type { SEND_SYNTAXES } from './domain/routing.js';

/** What a destination takes of one kind of object, and what that means. */
export interface KindCheck {
  readonly kind: StorableKind;
  /** Names of the transfer syntaxes that it takes of any of the kind's SOP classes. */
  readonly transferSyntaxes: readonly string[];
  /** Routes that send it there. */
  readonly routes: readonly string[];
  readonly ok: boolean;
  /** What follows, where it is not simply taken. */
  readonly advice?: string;
}

export interface DestinationCheck {
  readonly kinds: readonly KindCheck[];
  readonly find: { readonly accepted: boolean; readonly advice?: string };
}

/**
 * Asks a destination which objects it takes and how; nothing is sent to it. `ok` is false where a route sends in vain.
 * @throws StageError where it cannot be asked
 */
export async function checkDestination(
  peer: Peer,
  settings: Settings,
  destination: string,
): Promise<DestinationCheck & { readonly ok: boolean }> {
  const check = judgeDestination(await askWhatIsTaken(peer), settings, destination);
  const ok = check.kinds.every((kind) => kind.ok) && check.find.advice === undefined;
  return { ok, ...check };
}

/** What the answers mean for the routes to the destination. `ok` is false only for what a route sends in vain. */
export function judgeDestination(
  answers: readonly ClassAnswer[],
  settings: Settings,
  destination: string,
): DestinationCheck {
  const takes = (sopClassUid: string) =>
    answers.find((answer) => answer.sopClassUid === sopClassUid)?.transferSyntaxUids ?? [];
  const taken = (kind: StorableKind) => [...new Set(KIND_CLASSES[kind].flatMap(takes))];
  const find = takes(STUDY_ROOT_FIND).length > 0;
  const verifies = settings.destinations.some(({ name, verify }) => name === destination && verify);
  return {
    kinds: KINDS.map((kind) => {
      const uids = taken(kind);
      const asked = routesTo(settings, destination, kind);
      const hasFallback = kind === 'sr' && taken('comprehensive-sr').length > 0;
      const insisted = asked.filter(({ syntaxUid }) => syntaxUid && !uids.includes(syntaxUid));
      const isTaken = uids.some((uid) => WRITTEN.includes(uid)) || hasFallback;
      const advice = adviceOn(kind, uids, hasFallback, insisted[0]?.route);
      return {
        kind,
        transferSyntaxes: uids.map(nameOf),
        routes: asked.map(({ route }) => route),
        ok: asked.length === 0 || (isTaken && (insisted.length === 0 || hasFallback)),
        ...(advice !== undefined && { advice }),
      };
    }),
    find: {
      accepted: find,
      ...(verifies && !find && { advice: 'verifyByFind has to be false: C-FIND is refused' }),
    },
  };
}

const KINDS: readonly StorableKind[] = [
  'sr',
  'comprehensive-sr',
  'heatmap',
  'summary',
  'key-objects',
  'original',
];
const WRITTEN = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
const SYNTAX_UIDS = {
  ImplicitVRLittleEndian: IMPLICIT_VR_LITTLE_ENDIAN,
  ExplicitVRLittleEndian: EXPLICIT_VR_LITTLE_ENDIAN,
} as const satisfies Record<(typeof SEND_SYNTAXES)[number], string>;

function nameOf(uid: string): string {
  return TRANSFER_SYNTAXES.find((syntax) => syntax.uid === uid)?.name ?? uid;
}

function adviceOn(
  kind: StorableKind,
  uids: readonly string[],
  hasFallback: boolean,
  insisting: string | undefined,
): string | undefined {
  if (insisting !== undefined) {
    return `route "${insisting}" insists on a transfer syntax that is refused: leave transferSyntax out`;
  }
  if (uids.length === 0) {
    if (hasFallback) {
      return 'the Comprehensive SR goes in its place by itself; objects: [comprehensive-sr] saves the try';
    }
    return REFUSED[kind];
  }
  if (kind === 'original') {
    const missing = TRANSFER_SYNTAXES.filter(({ uid }) => !uids.includes(uid));
    return missing.length === 0
      ? undefined
      : `images that came in ${missing.map(({ name }) => name).join(', ')} are refused`;
  }
  if (!uids.includes(EXPLICIT_VR_LITTLE_ENDIAN)) return 'goes in Implicit VR Little Endian';
  return undefined;
}

const REFUSED: Readonly<Record<StorableKind, string>> = {
  sr: 'no structured report can go there: send heatmap and summary',
  'comprehensive-sr': 'send sr, where that is taken, or heatmap and summary',
  heatmap: 'no picture can go there: send sr',
  summary: 'no picture can go there: send sr',
  'key-objects': 'leave key-objects out: the report names the key slices too',
  original: 'forward no images there',
};

function routesTo(settings: Settings, destination: string, kind: StorableKind) {
  const { routes, defaultRoute, fallbackRoute } = settings.routing;
  const all = [
    ...routes,
    ...(defaultRoute ? [{ name: 'default', ...defaultRoute }] : []),
    ...(fallbackRoute ? [{ name: 'fallback', ...fallbackRoute }] : []),
  ];
  return all.flatMap(({ name, send, forward }) => [
    ...send
      .filter(({ to, objects }) => to.includes(destination) && objects.some((one) => one === kind))
      .map(({ transferSyntax }) => ({
        route: name,
        syntaxUid: transferSyntax && SYNTAX_UIDS[transferSyntax],
      })),
    ...(kind === 'original' && forward.some(({ to }) => to.includes(destination))
      ? [{ route: name, syntaxUid: undefined }]
      : []),
  ]);
}
