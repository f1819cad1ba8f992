import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Finding, Outcome } from '../../../src/domain/finding.js';
import type { ObjectKind } from '../../../src/domain/result-object.js';
import { AnalysisStore } from '../../../src/store/analysis-store.js';
import { sendTo } from '../../routing-decision.js';
import type { StoreRig } from '../store/rig.js';
import { COMPREHENSIVE_3D_SR, SECONDARY_CAPTURE, writeObject } from './objects.js';

const trigger = { code: 'released', text: 'test' };

/**
 * Brings a study with one slice through the catalog up to its deliveries: one object of each kind, in the order of
 * `kinds`, for each destination. The objects' SOP Instance UIDs are `2.25.4711.<study><place in kinds>`.
 */
export async function queueReport(
  rig: StoreRig,
  study: number,
  outcome: Outcome,
  options: { kinds?: readonly ObjectKind[]; to?: readonly string[] } = {},
): Promise<string[]> {
  const { kinds = ['heatmap', 'sr'], to = ['main-pacs'] } = options;
  const studyInstanceUid = `1.2.${study}`;
  const seriesInstanceUid = `1.2.${study}.1`;
  const name = { study: studyInstanceUid, series: seriesInstanceUid, sop: `1.2.${study}.1.1` };
  rig.ingest.accept(rig.received(name));
  rig.ingest.flush();
  rig.receiving.completeSeries(seriesInstanceUid, { confidence: 'likely', reason: trigger });
  const work = rig.selections.nextSelection(Date.now());
  if (!('studyInstanceUid' in work)) throw new Error('no study to choose from');
  const chosen = { seriesInstanceUid, inputHash: `h${study}`, trigger, verdicts: [] };
  rig.selections.settleSelection(work, { type: 'analyse', ...chosen });
  const analyses = new AnalysisStore(rig.catalog);
  const analysis = analyses.claimAnalysis(Date.now());
  if (analysis === undefined) throw new Error('no analysis');
  analyses.finishAnalysis(analysis, findingOf(outcome), chosen.inputHash);
  const report = analyses.claimReport(Date.now());
  if (report === undefined) throw new Error('no report');
  const objects = await Promise.all(
    kinds.map(async (kind, place) => {
      const sopClassUid = kind === 'sr' ? COMPREHENSIVE_3D_SR : SECONDARY_CAPTURE;
      const number = study * 10 + place;
      const uids = { studyInstanceUid, seriesInstanceUid: `2.25.${study}` };
      const written = await writeObject(rig.folder, number, { sopClassUid, size: 1000, ...uids });
      const { file, sopInstanceUid, transferSyntaxUid } = written;
      return {
        object: {
          kind,
          sopClassUid,
          sopInstanceUid,
          transferSyntaxUid,
          seriesInstanceUid: uids.seriesInstanceUid,
        },
        file: relative(rig.folder, file),
        sha256: createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
        bytes: 1,
      };
    }),
  );
  analyses.finishReport(report, objects, sendTo(to, kinds));
  return objects.map(({ object }) => object.sopInstanceUid);
}

function findingOf(outcome: Outcome): Finding {
  return {
    outcome,
    model: { name: 'm', version: '1', maker: 'x', family: 'y', hash: 'z' },
    classes: [],
    slices: [],
    keySlices: [],
    series: [],
  };
}
