"""Tests of the training line: python3 -m unittest discover -s models/training"""
import csv
import json
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import export
import faithfulness
import golden
import keep
import lesions
import mean
import outlines
import package
import phantom
import preprocess
import rsna
import shams
import teacher
import unpack
from cohort import CLASSES, Cohort
from dataset import Slices
from network import SliceNet
from sequence import SequenceNet
from train_cnn import guessed

GOLDEN = HERE.parent.parent / "test/fixtures/model/preprocess-golden.json"


class Preprocessing(unittest.TestCase):
    def test_golden_values(self):
        stored = json.loads(GOLDEN.read_text())
        for case, expected in zip(golden.CASES, stored["cases"]):
            hu = golden.image(case)
            np.testing.assert_allclose(preprocess.head_box(hu), expected["box"], atol=1e-5)
            tensor = preprocess.windowed(preprocess.cropped(hu))
            np.testing.assert_allclose(golden.samples(tensor), expected["samples"], atol=1e-5)

    def test_orientation_turns_rows_to_the_left_and_columns_to_the_back(self):
        image = np.arange(6, dtype=np.float32).reshape(2, 3)
        np.testing.assert_array_equal(preprocess.oriented(image[:, ::-1], [-1, 0, 0, 0, 1, 0]), image)
        np.testing.assert_array_equal(preprocess.oriented(image[::-1], [1, 0, 0, 0, -1, 0]), image)
        np.testing.assert_array_equal(preprocess.oriented(image.T, [0, 1, 0, 1, 0, 0]), image)

    def test_slabs_lie_on_a_grid_that_is_fixed_in_the_patient(self):
        images = np.arange(20, dtype=np.float32)[:, None, None] * np.ones((1, 2, 2), np.float32)
        made = preprocess.slabs(images, np.arange(20) * 1.0)
        np.testing.assert_allclose(made[:, 0, 0], [2, 7, 12, 17])
        shifted = preprocess.slabs(images[2:], np.arange(2, 20) * 1.0)
        np.testing.assert_allclose(shifted[1:], made[1:])
        self.assertIs(preprocess.slabs(images, np.arange(20) * 4.0), images)


class Packaging(unittest.TestCase):
    def test_a_package_says_what_the_shipped_one_says_of_its_files(self):
        shipped = json.loads((HERE.parent / "vigil-ich-small/manifest.json").read_text())
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            decision = {name: value for name, value in shipped["decision"].items() if name != "prevalence"}
            package.write(out, "1", SliceNet().eval(), SequenceNet().eval(), preprocess.SPEC, package.SMALL_TEXT, decision)
            manifest = json.loads((out / "manifest.json").read_text())
            graphs = {name for name in shipped["files"] if name.endswith(".onnx")}
            self.assertEqual(set(manifest["files"]), graphs)
        for key in set(shipped) - {"version", "files", "decision"}:
            self.assertEqual(manifest[key], shipped[key], key)

    def test_an_untrained_package_decides_nothing(self):
        for low, high in (rule.values() for rule in package.UNDETERMINED["thresholds"].values()):
            self.assertEqual((low, high), (0, 1))


class Drawing(unittest.TestCase):
    def test_a_bleed_lies_inside_the_skull_and_is_brighter(self):
        for seed in range(20):
            head = phantom.head(np.random.default_rng(seed))
            for kind in lesions.KINDS:
                drawn = lesions.bleed(head, kind, np.random.default_rng(seed))
                if drawn is None:
                    continue
                hu, mask = drawn
                self.assertTrue((mask & ~head.inside).sum() <= 0.2 * mask.sum() + 5)
                soft = mask & (head.hu < 100)  # the blurred edge of bone stays bone
                # An intraventricular bleed's ventricle may be drawn with it, where brain was.
                if kind != "intraventricular" and soft.sum() > 20:
                    self.assertGreater(np.median(hu[soft]), np.median(head.hu[soft]))
                far = ~lesions.ndimage.binary_dilation(mask, iterations=30) & ~head.inside
                np.testing.assert_allclose(hu[far], head.hu[far], atol=1e-3)

    def test_the_same_seed_draws_the_same(self):
        first, second = (lesions.bleed(phantom.head(np.random.default_rng(3)), "intraparenchymal", np.random.default_rng(5)) for _ in range(2))
        np.testing.assert_array_equal(first[0], second[0])


class LookAlikes(unittest.TestCase):
    def test_each_changes_the_head_and_leaves_its_size_and_what_lies_around_it(self):
        for sham in shams.SHAMS:
            changed = 0
            for seed in range(6):
                head = phantom.head(np.random.default_rng(seed))
                made = sham(head, np.random.default_rng(seed))
                self.assertEqual(made.hu.shape, head.hu.shape)
                self.assertTrue(np.isfinite(made.hu).all(), sham.__name__)
                air = lesions.ndimage.binary_erosion(head.hu < -900, iterations=8)
                np.testing.assert_allclose(made.hu[air], head.hu[air], atol=1, err_msg=sham.__name__)
                changed += np.abs(made.hu - head.hu).max() > 1
            self.assertGreater(changed, 2, sham.__name__)

    def test_an_older_brain_has_more_csf_and_nothing_denser(self):
        for seed in range(6):
            head = phantom.head(np.random.default_rng(seed))
            flat = lesions.ndimage.gaussian_filter(head.hu, 1.2)
            made = shams.atrophy(head, np.random.default_rng(seed)).hu
            self.assertLess((made - head.hu).max(), 1e-3)
            np.testing.assert_array_equal(made[~head.inside], head.hu[~head.inside])
            self.assertEqual(np.abs(made - head.hu).max() > 0, bool((flat[head.inside] < 20).any()))


def chances(kind, where, value=0.9):
    """A teacher's chances [3, 256, 256] with blood of one kind in the rectangle `where`."""
    out = np.zeros((3, 256, 256), np.float32)
    out[kind][where] = value
    return out


class Outlines(unittest.TestCase):
    nobody = np.full((256, 256), 255.0)
    square = (slice(100, 110), slice(50, 60))

    def test_a_label_outweighs_the_teachers_kind_of_blood(self):
        labels = np.array([1, 0, 0, 0, 0, 1])
        types = outlines.outlined_types(self.nobody, chances(0, self.square), labels)
        self.assertEqual({kind: int(mask.sum()) for kind, mask in types.items()}, {"epidural": 100})

    def test_of_several_types_each_needs_its_own_blood(self):
        labels = np.array([1, 1, 0, 0, 0, 1])
        inner, outer = chances(0, self.square), chances(1, (slice(20, 30), slice(50, 60)))
        self.assertEqual(outlines.outlined_types(self.nobody, inner, labels), {})
        both = outlines.outlined_types(self.nobody, inner + outer, labels)
        self.assertTrue(both["intraparenchymal"][105, 55] and both["epidural"][25, 55])
        # An epidural and a subdural one are the same kind to the teacher.
        self.assertEqual(outlines.outlined_types(self.nobody, inner + outer, np.array([1, 0, 0, 0, 1, 1])), {})

    def test_small_and_unsure_spots_are_no_blood(self):
        speck, unsure = chances(1, (slice(0, 3), slice(0, 3))), chances(1, self.square, 0.6)
        self.assertFalse(outlines.told(speck).any() or outlines.told(unsure).any())
        self.assertEqual(outlines.outlined_types(self.nobody, [], np.array([1, 0, 0, 0, 0, 1])), {})

    def test_transplanted_blood_stays_along_the_inner_table(self):
        moved = 0
        for seed in range(20):
            rng = np.random.default_rng(seed)
            donor, host = phantom.head(rng), phantom.head(rng)
            drawn = lesions.bleed(donor, "epidural", rng)
            if drawn is None:
                continue
            made = outlines.transplanted(host, donor.repainted(drawn[0]), {"epidural": drawn[1] & donor.inside}, rng)
            if made is None:
                continue
            hu, masks = made
            mask = masks["epidural"]
            moved += 1
            self.assertFalse((mask & ~host.inside).any())
            self.assertLess(host.depth[mask].min(), 3)
            self.assertGreater((hu - host.hu)[mask].mean(), lesions.VISIBLE_DEFAULT_HU)
            far = ~lesions.ndimage.binary_dilation(mask, iterations=12)
            np.testing.assert_allclose(hu[far], host.hu[far], atol=0.5)
        self.assertGreater(moved, 5)

    def test_the_teacher_answers_the_same_whatever_lies_in_the_same_slab(self):
        torch.manual_seed(0)
        nets = [teacher.DeepMedic().eval()]
        images = [np.asarray(phantom.head(np.random.default_rng(k)).hu, np.float32) for k in range(5)]
        together = teacher.segment(nets, images, [1, 3])
        np.testing.assert_allclose(together[1], teacher.segment(nets, images, [3])[0], atol=0.02)


class Guesses(unittest.TestCase):
    def test_only_dense_cells_of_a_labelled_type_become_blood_and_none_outside_the_skull(self):
        y = torch.tensor([[1.0, 0, 0, 0, 0, 1]])
        known = torch.tensor([0.0, 1, 1, 1, 1, 0])
        dense, outside = torch.zeros(1, 32, 32), torch.zeros(1, 32, 32)
        dense[0, 10, 5:15], outside[0, :4] = 1, 1
        lesion = torch.zeros(1, 6, 32, 32)
        lesion[0, :, 10, 8:14] = torch.arange(6.0) + 1
        lesion[0, :, 20, 20] = 9  # likely, but not dense
        batch = {"y": y, "target": torch.zeros(1, 6, 32, 32), "dense": dense, "outside": outside,
                 "weight": known[None, :, None, None].expand(1, 6, 32, 32)}
        target, weight = guessed(lesion, batch)
        self.assertEqual(target[0, 0].nonzero().tolist(), [[10, c] for c in range(8, 14)])
        self.assertEqual((float(weight[0, 0, 10, 8]), float(weight[0, 0, 2, 2]), float(weight[0, 0, 20, 20])), (0.5, 1.0, 0.0))
        self.assertEqual(float(target[0, 1:5].sum()), 0.0)

    def test_nothing_is_guessed_where_nothing_is_dense(self):
        empty = torch.zeros(1, 32, 32)
        batch = {"y": torch.ones(1, 6), "target": torch.zeros(1, 6, 32, 32), "weight": torch.zeros(1, 6, 32, 32), "dense": empty, "outside": empty}
        target, weight = guessed(torch.randn(1, 6, 32, 32), batch)
        self.assertEqual((float(target.sum()), float(weight.sum())), (0.0, 0.0))


class Unpacking(unittest.TestCase):
    def test_weights_come_back_from_the_graphs_they_were_written_to(self):
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory() as name:
            cnn, sequence = SliceNet().eval(), SequenceNet(features=9, components=5, hidden=4, layers=2).eval()
            sequence.projection.normal_(), sequence.mu.normal_()
            export.write_cnn(cnn, Path(name) / "cnn.onnx", 64)
            export.write_sequence(sequence, Path(name) / "sequence.onnx")
            again = unpack.slice_network(Path(name) / "cnn.onnx")
            for key, value in cnn.state_dict().items():
                self.assertTrue(torch.equal(value, again.state_dict()[key]), key)
            read, _ = unpack.sequence_model(Path(name) / "sequence.onnx")
            features, logits = torch.randn(7, 9), torch.randn(7, 6)
            with torch.no_grad():
                torch.testing.assert_close(read(features, logits), sequence(features, logits))


class Faithfulness(unittest.TestCase):
    def test_the_brightest_cells_go_first_and_come_back_first(self):
        cam = np.zeros((32, 32), np.float32)
        cam[4, 5] = 2
        hu, plain = np.full((256, 256), 60.0), np.full((256, 256), 30.0)
        (_, order), *_ = faithfulness.orders({"exact": cam}, np.random.default_rng(0))
        made = faithfulness.pictures(hu, plain, order)
        self.assertEqual(made.shape, (26, 256, 256))
        np.testing.assert_array_equal(made[0], hu)
        np.testing.assert_array_equal(made[12], plain)
        np.testing.assert_array_equal(made[13], plain)
        np.testing.assert_array_equal(made[25], hu)
        self.assertTrue((made[1][32:40, 40:48] == 30).all() and (made[14][32:40, 40:48] == 60).all())

    def test_the_plain_map_is_the_gradient_of_the_logit(self):
        torch.manual_seed(2)
        net = SliceNet().eval()
        hu = np.asarray(phantom.head(np.random.default_rng(1)).hu, np.float32)
        _, _, activation = faithfulness.answers(net, hu[None])
        activation.requires_grad_()
        features, _ = net.pooled(activation)
        slope = torch.autograd.grad(net.head(features)[0, -1], activation)[0][0].mean((1, 2))
        expected = torch.relu(torch.einsum("k,khw->hw", slope, activation[0].detach()))
        got = faithfulness.cells(net, activation[0].detach(), net.head.weight[-1].detach())
        np.testing.assert_allclose(got / 1024, expected, rtol=1e-3, atol=1e-7)

    def test_shuffling_goes_from_the_head_downwards(self):
        net = SliceNet()
        kept = [(bool((other.stem.conv.weight == net.stem.conv.weight).all()), bool((other.mix.weight == net.mix.weight).all()))
                for _, other in faithfulness.shuffled(net, np.random.default_rng(0))]
        self.assertEqual(kept, [(True, True), (True, False), (True, False), (False, False)])


class Keeping(unittest.TestCase):
    def test_a_kept_network_goes_on_in_its_own_fold_alone(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            torch.manual_seed(1)
            net = SliceNet()
            torch.save(net.state_dict(), folder / "net.pt")
            (folder / "results.json").write_text(json.dumps({"fold": 1, "folds": 3, "images": 4800}))
            keep.keep(folder, folder / "fold1.pt")
            weights, images = keep.kept(folder / "fold1.pt", 1, 3)
            self.assertEqual(images, 4800)
            for key, value in net.state_dict().items():
                np.testing.assert_allclose(weights[key], value, rtol=1e-3, atol=1e-6)
            for fold, folds in ((0, 3), (-1, 3), (1, 4)):
                with self.assertRaisesRegex(ValueError, "saw patients"):
                    keep.kept(folder / "fold1.pt", fold, folds)

    def test_a_mean_of_two_folds_saw_all_patients_and_one_of_a_fold_did_not(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for seed, (fold, images) in enumerate([(0, 100), (1, 300), (1, 200)]):
                (folder / str(seed)).mkdir()
                torch.manual_seed(seed)
                torch.save(SliceNet().state_dict(), folder / str(seed) / "net.pt")
                (folder / str(seed) / "results.json").write_text(json.dumps({"fold": fold, "folds": 3, "images": images, "seconds": 60, "freeze": 2}))
            for runs, fold in ((["0", "1"], -1), (["1", "2"], 1)):
                mean.mean([folder / run for run in runs], folder / "mean")
                record = json.loads((folder / "mean/results.json").read_text())
                self.assertEqual((record["fold"], record["images"]), (fold, 300))
                net, parts = torch.load(folder / "mean/net.pt"), [torch.load(folder / run / "net.pt") for run in runs]
                np.testing.assert_allclose(net["head.weight"], (parts[0]["head.weight"] + parts[1]["head.weight"]) / 2, atol=1e-6)

    def test_a_network_of_all_patients_begins_no_fold(self):
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "cnn.pt"
            torch.save(SliceNet().state_dict(), file)
            self.assertIsNone(keep.kept(file, -1, 3)[1])
            with self.assertRaisesRegex(ValueError, "all patients"):
                keep.kept(file, 0, 3)


def write_rsna(folder, patients=4, slices=6):
    """A generated data set in the challenge's layout: phantoms, every other patient with one bleed."""
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    rows = []
    for patient in range(patients):
        study = generate_uid(entropy_srcs=[f"study{patient}"])
        for t in reversed(range(slices)):
            rng = np.random.default_rng([patient, 1])
            head = phantom.head(rng)
            blood = patient % 2 == 1 and t in (2, 3)
            hu = phantom.ball(head, np.random.default_rng(patient))[0] if blood else head.hu
            name = f"ID_{patient:04d}{t:04d}"
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
            meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
            ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
            ds.is_little_endian, ds.is_implicit_VR = True, False
            ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            ds.PatientID, ds.StudyInstanceUID, ds.Modality = f"ID_{patient}", study, "CT"
            ds.Rows, ds.Columns = hu.shape
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
            ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
            ds.RescaleSlope, ds.RescaleIntercept, ds.PixelSpacing = 1, -1024, [0.75, 0.75]
            ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 5.0 * t]
            ds.PixelData = (np.round(hu) + 1024).astype("<i2").tobytes()
            ds.save_as(str(folder / f"{name}.dcm"), write_like_original=False)
            for kind in CLASSES:
                rows.append({"ID": f"{name}_{kind}", "Label": int(blood and kind in ("intraparenchymal", "any"))})
    with open(folder / "labels.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, ["ID", "Label"])
        writer.writeheader()
        writer.writerows(rows)


class RsnaLayout(unittest.TestCase):
    def test_generated_data_set_becomes_a_cohort(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_rsna(folder)
            self.assertEqual(rsna.build(folder, folder / "labels.csv", folder / "cache"), 24)
            cohort = Cohort(folder / "cache")
            self.assertEqual(len(list(cohort.studies())), 4)
            for _, rows in cohort.studies():
                positive = np.flatnonzero(cohort.labels[rows, CLASSES.index("any")])
                self.assertIn(positive.tolist(), ([], [2, 3]))
            fold = cohort.folds(2)
            for patient in set(cohort.patient):
                self.assertEqual(len(set(fold[cohort.patient == patient])), 1)
            samples = Slices(cohort, np.arange(24), 1, 12)
            for i in range(12):
                sample = samples[i]
                self.assertEqual(tuple(sample["x"].shape), (3, 256, 256))
                self.assertTrue(bool(sample["x"].isfinite().all()))
            first, again = samples[3]["x"], Slices(cohort, np.arange(24), 1, 12)[3]["x"]
            self.assertTrue(bool((first == again).all()))
            viewed = Slices(cohort, np.arange(24), 1, 12, views=3)
            one, other = viewed[1], viewed[5]
            self.assertTrue(bool((one["y"] == other["y"]).all()))
            self.assertFalse(bool((one["x"] == other["x"]).all()))

    def test_the_teachers_outlines_become_targets_and_donors(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_rsna(folder)
            rsna.build(folder, folder / "labels.csv", folder / "cache")
            bloody = np.flatnonzero(Cohort(folder / "cache").labels[:, CLASSES.index("any")])
            chance = np.zeros((3, 3, 320, 320), np.uint8)
            chance[:, 0, 150:190, 140:180] = 255
            np.savez(folder / "cache" / "teacher.npz", row=bloody[:3], chance=chance)
            samples = Slices(Cohort(folder / "cache"), np.arange(24), 1, 12)
            self.assertEqual(sorted(len(rows) for rows in dict(samples.donors)["intraparenchymal"]), [1, 2])
            rng, known = np.random.default_rng(0), 0
            for _ in range(12):
                hu, y, target, weight, dense, outside, trust, synthetic = samples.positive_scene(rng)
                self.assertEqual(hu.shape, (256, 256))
                outlined = target.any()
                known += outlined
                self.assertEqual(bool(weight[CLASSES.index("any")].all()), False)
                self.assertTrue(bool(weight[CLASSES.index("subdural")].all()))
                if outlined:
                    self.assertEqual(weight[CLASSES.index("any")][target[CLASSES.index("any")] > 0].min(), 1)
                    self.assertFalse(dense.any())
            self.assertTrue(0 < known < 12)


if __name__ == "__main__":
    unittest.main()
