"""Writes MODEL_CARD.md. Every figure on it is read from evaluation.json and the runs' results.json.

    python3 models/training/card.py --nets models/training/work/cnn0 models/training/work/cnn1 models/training/work/cnn2
"""
import argparse
import json
from pathlib import Path

import numpy as np

CARD = """# vigil-ich-small

**For research use only. Not a medical device, not for clinical use.** It orders non-contrast head CTs by suspicion of
intracranial hemorrhage and shows where it looks. It was trained on the data of one hospital and measured on {studies}
studies of that hospital; what it does on other hospitals' patients has not been measured on labelled studies.

## What it is

A slice network (MobileNetV2 with a fused feature map of 96 channels at 32 x 32 cells and a lesion map of six channels;
2.0 million parameters) and a bidirectional LSTM over the slices of a study, after Burduja, Ionescu, Verga, *Accurate and
Efficient Intracranial Hemorrhage Detection and Subtype Classification in 3D CT Scans with Convolutional and Long
Short-Term Memory Neural Networks*, Sensors 2020, 20(19), 5611. Written from the paper and much smaller than the paper's
system. Grad-CAM (Selvaraju et al. 2017) is exact for this network: all behind the feature map is linear or a maximum.
{speed}Input: single slices (or 5 mm slabs), cropped to the head, 256 x 256, windows 40/80, 80/200 and 40/380.

## What it was made from

| what | where from | licence |
| --- | --- | --- |
| 66 studies, 2015 slices with labels, 22 with outlines | PhysioNet CT-ICH (Hssayeni et al., Data 2020, 5(1), 14) | CC BY 4.0 |
| 24 slices of ischaemic stroke, as slices without hemorrhage | CPAISD | CC BY 4.0 |
| backbone's first weights | MobileNetV2 on ImageNet, google-coral/test_data | Apache-2.0 |
| likely outlines of the hemorrhages that nobody outlined | `models/training/teacher.py`: networks 1 to 3 of BLAST-CT, trained on 184 CTs of head injuries of other hospitals (Monteiro et al., Lancet Digital Health 2020, 2(6), e314); none of it ships | Apache-2.0 |
| hemorrhages drawn or transplanted into slices without one; look-alikes without blood | `models/training/lesions.py`, `outlines.py`, `shams.py`; HU and volumes as FDA's DIDSR/InSilicoICH (CC0) publishes them | this project |
| generated heads, 7 % of the training samples | `models/training/phantom.py` | this project |

The weights in the ONNX files are this project's, trained by `models/training/` on the above. {training}

## Figures

{folded}: every study was scored by networks that never saw its patient. Real studies only; drawn
hemorrhages and generated heads are training material and never count here. Intervals are 95 %, from bootstraps of
patients (AUC) and Wilson's formula (shares).
{carried}
| class | studies with | study AUC | slices with | slice AUC |
| --- | --- | --- | --- | --- |
{classes}

{demo} are **demonstration only**: fewer than ten studies show them, and their figures say next to nothing.

| study is called positive (any) | sensitivity | specificity |
| --- | --- | --- |
{points}

With thresholds fitted on the other folds: of {sick} studies with hemorrhage {sp} were called positive, {su} undetermined
and {sn} negative; of {healthy} without, {hp}, {hu} and {hn}. Log loss of the study's probability {logLoss}, expected
calibration error {ece} (5 bins). Positive predictive value at the threshold that rules in, by prevalence, from the lower
ends of sensitivity's and specificity's intervals to their values: {ppv}.

The LSTM against the slice network alone (study score: mean of the two highest slices): study AUC {cnnStudy} to
{lstmStudy} (difference {gainLow} to {gainHigh}), slice AUC {cnnSlice} to {lstmSlice}, calibrated slice log loss
{cnnLoss} to {lstmLoss}.
{byTeacher}{since}{int8}{robust}{faithful}{familiarity}{compared}
## Limits

- One hospital, young trauma patients, {studies} studies. Intervals are wide. Subarachnoid, intraventricular and subdural
  bleeds are few; small ones are missed most.
- Outlines exist for 22 slices; where a heat map is bright says what moved the score, not where the border of a bleed is.
- False alarms come from thick skulls and beam hardening along the inner table, calcification, dense sinuses. The series
  of another scanner (`head-ct-ge`) was never trained on, but its false alarms led to more beam hardening, wider CSF spaces and
  spared gyri in the drawn training material, so it is no untouched test. It and the demonstration's phantoms were also looked at before the slice
  network that ships was accepted.
- Postoperative heads, tumours, contrast agent, children, metal and strong motion were not in the data.
- The last sequence model and its calibration are fitted on scores of the folds' slice networks; the slice network that
  ships was trained on all patients{longer} and has itself no held-out figure.
- Some studies labelled with hemorrhage show no dense blood in these pictures, and one a dark collection; most of the
  misses are among them. The labels were taken as they are in every figure; in training they count half where the teacher sees no blood.
- The lower threshold's rule (a prevalence of 10 % falls under 5 %) replaced a first one (at most one in twenty missed) that
  left most studies without hemorrhage undetermined, among them `head-ct-ge` and clean generated heads.
- Thresholds were chosen on these same {studies} studies; elsewhere they must be checked and set anew.
"""


def folded(e):
    if e["foldsTested"] == e["folds"]:
        return f"{e['folds']} folds by patient"
    return f"{e['foldsTested']} of {e['folds']} folds by patient were run, {e['studies']} of the 66 studies"


def share(s):
    return f"{s['value']:.2f} ({s['low']:.2f} to {s['high']:.2f})"


def auc(a):
    return f"{a['value']:.3f}" + (f" ({a['low']:.3f} to {a['high']:.3f})" if a["low"] is not None else "")


def teacher_text(e):
    if "byTeacher" not in e:
        return ""
    sure, unsure = e["byTeacher"]["sure"], e["byTeacher"]["unsure"]
    return f"""
In {sure['studies']} of the {sure['studies'] + unsure['studies']} studies labelled with hemorrhage BLAST-CT's networks, which never saw this hospital, are sure of blood in a labelled slice.
Study AUC for any hemorrhage is {auc(sure['studyAuc'])} for these against all studies without, and {auc(unsure['studyAuc'])} for the other {unsure['studies']}. Their outlines
were used in training (never those of a fold's own patients), so the two figures say where the misses lie and are no separate test.
"""


def elsewhere_text(r):
    if "elsewhere" not in r:
        return ""
    w = r["elsewhere"]
    return f"""
Bleeds of unseen patients, as labelled and as BLAST-CT outlines them, transplanted into slices of `head-ct-ge`, a scanner that no training saw ({w['slices']} with and
{w['without']} without, look-alikes and other scanners in all; a real bleed in a real head, but not that head's own, and transplanted as in training): AUC of `any` of the slice networks {w['auc']:.3f}; {w['withAtHalf']:.0%} of those with
and {w['withoutAtHalf']:.0%} of those without get one half or more.
"""


def faithful_text(e):
    if "faithfulness" not in e:
        return ""
    f = e["faithfulness"]
    told = {c: f"exact {f[c]['exact']:.3f}, slice network's own {f[c]['plain']:.3f}, random {f[c]['random']:.3f}" for c in ("deletion", "insertion")}
    low, high = f["deletion"]["randomMinusExact"]
    shuffled = ", ".join(f"{v:.2f} ({'all of it' if i == len(f['randomised']) - 1 else 'with ' + k.replace('+', ', ')})" for i, (k, v) in enumerate(f["randomised"].items()))
    return f"""
Whether the map shows what moved the score (`faithfulness.py`; key slices of the {f['studies']} studies with hemorrhage, out of fold): area under the slice's probability while the
map's brightest cells become plain brain (a faithful map has a small one): {told['deletion']} (random minus exact {low:.3f} to {high:.3f}); while they come back into plain brain (a
large one): {told['insertion']}. The probability's median is {f['most']:.2f} with all cells and {f['least']:.2f} with none. Correlation of the map with itself after weights were
shuffled from the head downwards, magnitude: {shuffled}.
"""


def robust_text(r):
    exports = ", ".join(f"{auc(v)} at {k}" for k, v in r["exports"].items())
    drawn = ", ".join(f"{k} {v['pointingGame']:.2f}" for k, v in r["heatMap"]["drawn"].items())
    o, g, p, s = r["heatMap"]["outlined"], r["headCtGe"], r["phantoms"], r["scannerHu"]
    ge = ", ".join(f"{v:.2f} ({k})" for k, v in g.items())
    return elsewhere_text(r) + f"""
Other pictures of the same patients, out of fold, slice AUC of `any` without the LSTM: windowed exports {exports}. On the {s['slices']} slices that exist as real HU images the median score is
{s['medianScoreDicom']:.2f}, against {s['medianScoreRebuilt']:.2f} for the same slices rebuilt from two windows.

One real series of another scanner without hemorrhage (`head-ct-ge`): probability {ge}. Generated heads (a test of
plumbing, not of medicine): {p['bleedCalled']} of {p['series']} with a bleed called, {p['cleanCalled']} of {p['series']} clean ones called.

Heat map of the slice network in unseen patients: its maximum lies in the lesion (or within 8 of 256 pixels) in
{o['pointingGame']:.0%} of {o['slices']} outlined real slices, with {o['energyInLesion']:.0%} of its energy in lesions that cover
{o['lesionShareOfPicture']:.1%} of the picture; for drawn lesions, by type: {drawn}.
"""


def trained(options, e):
    """What the weights were trained with, from the runs' results.json."""
    if options.training:
        return options.training
    final = json.loads((options.final / "results.json").read_text())
    if "outOfFoldOf" in e:
        return (f"Slice network: {final['images']} more samples on all patients, from the weights of version {e['outOfFoldOf']} on (which "
                f"had 15 epochs of 2000), the stem and the first {final['freeze']} blocks kept, weights averaged over the last steps; "
                f"{final['seconds'] / 60:.0f} minutes at idle priority on a busy CPU of two cores. That is short. The sequence "
                "model, its calibration and the thresholds are those of the older version, unchanged.")
    runs = [*(json.loads((folder / "results.json").read_text()) for folder in options.nets), final]
    images = ", ".join(str(r["images"]) for r in runs[:-1])
    if "meanOf" in final and runs[:-1]:
        own = final["images"] - max(r["images"] for r in runs[:-1])
        return (f"Slice network: from the mean of the weights of the folds' networks ({images} samples) on, {own} samples on all patients, and the mean of "
                f"{len(final['meanOf'])} of its states. {options.time}".rstrip())
    earlier = f", {final['imagesBefore']} of them for the version before" if final["imagesBefore"] else ""
    return (f"Slice network: {final['images']} samples on all patients{earlier} (the folds' networks {images}). {options.time}".rstrip())


def carried_text(e):
    if "outOfFoldOf" not in e:
        return ""
    return f"""
**The figures of this section are version {e['outOfFoldOf']}'s**: its fold networks were not trained anew. They stand for the way of
training, not for the later training of the slice network that ships, which no patient was left out of.
"""


def speed_text(e, ships):
    if "speed" not in e:
        return ""

    def told(graph):
        return f"{graph['oneThread']['best']} ms a slice on one thread, {graph['twoThreads']['best']} on two"

    text = f"Slice network: {told(e['speed']['fp32'])} ({e['speed']['processor']}, best of the rounds)."
    if e["speed"]["int8"]:
        text += f" In INT8: {told(e['speed']['int8'])}."
    return f"{text} {'Slices are classified by the INT8 graph.' if ships else 'No INT8 graph ships.'}\n"


def int8_text(e):
    if "int8" not in e:
        return ""
    i, head = e["int8"], e["int8"]["shippedNetwork"]["headCtGe"]

    def told(kind):
        d = i["sequence"][f"{kind}Auc"]["any"]
        return f"{kind} AUC {d['before']:.3f} to {d['after']:.3f} (difference {d['low']:.3f} to {d['high']:.3f})"

    return f"""
The slice network in INT8 (static, `models/training/quantise.py`) against FP32, out of fold, any hemorrhage after the LSTM: {told("study")}, {told("slice")}. The
answer of {i['sequence']['studyAnswersChanged']} of {i['studies']} studies changes. These fold networks saw {", ".join(str(n) for n in i['foldImages'])} samples and are none of those above: only
the differences count. On `head-ct-ge` the network that ships gives {head['fp32']:.2f} in FP32 and {head['int8']:.2f} in INT8,
slice network alone. Heat maps are FP32's either way, weighed by the gradient at the scores' features.
"""


def familiarity_text(e):
    if "familiarity" not in e:
        return ""
    f = e["familiarity"]
    real, seen, strange = f["realHeadsLeftOut"], f["asOtherScannersGiveThem"], f["strange"]
    bleeding = sum(one["hemorrhage"] for one in f["farthestByMedian"])

    def told(names):
        return ", ".join(f"{name} {strange[name]['tenth']:.2f}" for name in names)

    beyond = [name for name in strange if strange[name]["tenth"] > 1.5 * seen["tenth"]["farthest"]]
    return f"""
The distance of a series' features from those of real heads (Mahalanobis, {f['components']} components, `familiarity.py`) was tried as a gate against what
is no head, and is not used. By its median slice {bleeding} of the {len(f['farthestByMedian'])} heads that lie farthest have a hemorrhage: such a gate refuses the sickest. By its
nearest tenth real heads reach {real['tenth']['farthest']:.2f} ({seen['tenth']['farthest']:.2f} as other scanners give them): {told(beyond)} lie clearly beyond, which the gate on
pixels refuses already, and {told([name for name in strange if name not in beyond])} do not.
"""


def since_text(e):
    """What was changed since the package before, and what else was tried on the same studies."""
    text = ""
    if "since" in e:
        own = [a for a in e["ablations"] if a["change"].startswith(e["since"]) and a["change"].endswith("AUC any")]
        told = ", ".join(f"{a['change'].rsplit(': ', 1)[1]} {a['before']:.3f} to {a['after']:.3f}" for a in own)
        text += f"""
Against the version before, out of fold on the same folds ({e['since']}): {told}; the other classes are in `evaluation.json`.
"""
    if "tried" in e:
        steps = {}
        for a in e["tried"]:
            change, figure = a["change"].rsplit(": ", 1)
            steps.setdefault(change, []).append(f"{figure} {a['before']:.3f} to {a['after']:.3f}")
        tried = "\n".join(f"- {change}: {'; '.join(figures)}" for change, figures in steps.items())
        text += f"""
Tried on these same studies, so that figures lean towards what was chosen:

{tried}
"""
    return text


def compared_text(e):
    if "comparison" not in e:
        return ""
    c = e["comparison"]
    b, a = c["before"], c["after"]
    if not c["shipped"]:
        mean = [float(np.mean([v["any"] for v in net["drawn"].values()])) for net in (b, a)]
        elsewhere = [float(np.mean(list(net["drawnElsewhere"].values()))) for net in (b, a)]
        ge = [net["headCtGe"]["real HU"] for net in (b, a)]
        return f"""
Tried and not shipped: {c['change']}. On {c['count']} freshly drawn slices of each type against {2 * c['count']} without (no clinical figure: their
patients were in training) the mean AUC of `any` went from {mean[0]:.3f} to {mean[1]:.3f}; drawn likewise into the slices of `head-ct-ge`, of another patient and
scanner that no training saw, from {elsewhere[0]:.3f} to {elsewhere[1]:.3f}; and the slice network's false alarm on that series from {ge[0]:.2f} to {ge[1]:.2f}. Drawn hemorrhages are missed most by this measure: AUC
{", ".join(f"{k} {v['any']:.2f}" for k, v in b["drawn"].items())} for the slice network that ships.
"""
    rows = "\n".join(f"| {k}, drawn | {b['drawn'][k]['any']:.3f} | {a['drawn'][k]['any']:.3f} | {b['pointing'][k]:.2f} | {a['pointing'][k]:.2f} |"
                     for k in b["drawn"])
    ge = ", ".join(f"{b['headCtGe'][k]:.2f} to {a['headCtGe'][k]:.2f} ({k})" for k in b["headCtGe"])
    return f"""
The slice network that ships against its predecessor, on the same freshly drawn slices ({c['count']} of each type,
{2 * c['count']} without; look-alikes and other scanners in all; the slices' patients were in the training of both, so this compares
the two and is no clinical figure): AUC of `any`, and share of heat maps whose maximum lies in the lesion.

| type | AUC before | AUC now | pointing before | pointing now |
| --- | --- | --- | --- | --- |
{rows}

Slice network alone on scans without hemorrhage: `head-ct-ge`, mean of the two highest slices, {ge}; the {b['stroke']['slices']}
CPAISD slices, {b['stroke']['atHalfOrAbove']} before and {a['stroke']['atHalfOrAbove']} now at one half or above (they are training material).
"""


def main(options):
    e = json.loads((options.weights / "evaluation.json").read_text())
    classes = "\n".join(f"| {c} | {e['positiveStudies'][c]} of {e['studies']} | {auc(e['studyAuc'][c])} | "
                        f"{e['positiveSlices'][c]} of {e['slices']} | {auc(e['sliceAuc'][c])} |" for c in e["studyAuc"])
    names = {"half": "probability of one half", "rulesOut": "threshold that rules out", "rulesIn": "threshold that rules in"}
    points = "\n".join(f"| {text} | {share(e['operatingPoints'][k]['sensitivity'])} | {share(e['operatingPoints'][k]['specificity'])} |"
                       for k, text in names.items())
    sick, healthy = e["operatingPoints"]["threeWay"]["withHemorrhage"], e["operatingPoints"]["threeWay"]["without"]
    cnn, study, demo = e["sliceNetworkAlone"], e["ablations"][0], e["demonstrationOnly"]
    text = CARD.format(
        studies=e["studies"], folded=folded(e), training=trained(options, e), carried=carried_text(e), speed=speed_text(e, (options.out.parent / "cnn.int8.onnx").exists()), int8=int8_text(e), familiarity=familiarity_text(e), longer=", longer than they were," if "outOfFoldOf" in e else "", compared=compared_text(e), since=since_text(e), classes=classes, points=points, byTeacher=teacher_text(e), faithful=faithful_text(e),
        demo=(", ".join(demo[:-1]) + " and " + demo[-1]).capitalize() if len(demo) > 1 else (demo or ["none"])[0],
        sick=sum(sick.values()), healthy=sum(healthy.values()),
        sp=sick["positive"], su=sick["undetermined"], sn=sick["negative"],
        hp=healthy["positive"], hu=healthy["undetermined"], hn=healthy["negative"],
        logLoss=e["logLoss"], ece=e["ece"], ppv=", ".join(f"{e['ppvByPrevalence']['low'][k]:.2f} to {v:.2f} at {k}" for k, v in e["ppvByPrevalence"]["value"].items()),
        cnnStudy=study["before"], lstmStudy=study["after"], gainLow=round(study["differenceLow"], 3),
        gainHigh=round(study["differenceHigh"], 3), cnnSlice=cnn["slice"]["auc"]["any"]["value"],
        lstmSlice=e["sliceAuc"]["any"]["value"], cnnLoss=cnn["slice"]["logLossAny"], lstmLoss=e["sliceLogLossAny"],
        robust=robust_text(e["robustness"]) if "robustness" in e else "")
    options.out.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"))
    parser.add_argument("--nets", type=Path, nargs="+", default=[], help="one folder a fold")
    parser.add_argument("--final", type=Path, default=Path("models/training/work/cnn-all"))
    parser.add_argument("--time", default="", help="a sentence on the time that it took, and where")
    parser.add_argument("--training", help="what the card says of the training, where an unpacked package ships again and its runs are gone")
    parser.add_argument("--out", type=Path, default=Path("models/vigil-ich-small/MODEL_CARD.md"))
    main(parser.parse_args())
