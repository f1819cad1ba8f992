import type { Dataset } from '../dicom/dataset.js';
import type { SourceDataset } from '../dicom/source-dataset.js';

/**
 * The order that the study answers, for an SR or key object document (PS3.3 C.17.2), where the source names one by
 * its accession number; what it does not tell stays empty (type 2).
 */
export function requestSequence(source: SourceDataset): Dataset {
  const accessionNumber = source.text('AccessionNumber');
  if (!accessionNumber) return {};
  const request = source.items('RequestAttributesSequence')[0];
  return {
    ReferencedRequestSequence: [
      {
        StudyInstanceUID: source.text('StudyInstanceUID'),
        ReferencedStudySequence: [],
        AccessionNumber: accessionNumber,
        PlacerOrderNumberImagingServiceRequest: '',
        FillerOrderNumberImagingServiceRequest: '',
        RequestedProcedureID: request?.text('RequestedProcedureID') ?? '',
        RequestedProcedureDescription: request?.text('RequestedProcedureDescription') ?? '',
        RequestedProcedureCodeSequence: [],
      },
    ],
  };
}
