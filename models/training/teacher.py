"""Outlines of the real hemorrhages that nobody outlined, by networks that never saw this hospital: BLAST-CT's (Monteiro et
al., Lancet Digital Health 2020, 2(6), e314; trained on 184 CTs of head injuries; Apache-2.0), written from their published
architecture, DeepMedic: three paths of eight 3 x 3 x 3 convolutions on every voxel, every third and every fifth.

    python3 models/training/teacher.py --models 1 2 3

Writes `teacher.npz` into the cache: `row` [P] of the slices with hemorrhage, `chance` uint8 [P, 3, 320, 320], the chance
(times 255) of intraparenchymal, extra-axial (epidural, subdural, subarachnoid) and intraventricular blood on the cache's wide
crop, and prints how well its maximum and its area fit the slices that a person outlined. One study after the other is
saved; the same command goes on from there.
"""
import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import machine
from cohort import CACHE_SIZE, CLASSES, CT_ICH_MM, Cohort, ct_ich_rows, wide_crop
from preprocess import head_box

SLICE_MM = 5
SCALES = (5, 3, 1)
WIDTHS = (30, 30, 40, 40, 40, 40, 50, 50)
# Every layer of a path takes one voxel from each side.
MARGIN = len(WIDTHS)
# Of the five outputs: no lesion, these, and edema (3), which is no blood.
BLOOD = {"intraparenchymal": 1, "extraaxial": 2, "intraventricular": 4}
WINDOW = (-15.0, 100.0)


class PreActivated(nn.Module):
    """Batch norm, PReLU and a convolution without padding; what comes in is added where the widths agree."""

    def __init__(self, inputs, outputs, size):
        super().__init__()
        self.bn, self.prelu = nn.BatchNorm3d(inputs), nn.PReLU()
        self.conv = nn.Conv3d(inputs, outputs, size, bias=False)
        self.edge = size // 2

    def forward(self, x):
        out = self.conv(self.prelu(self.bn(x)))
        if x.shape[1] == out.shape[1]:
            e = self.edge
            out = out + (x[:, :, e:-e, e:-e, e:-e] if e else x)
        return out


class DeepMedic(nn.Module):
    """x [1, 1, D + 80, H + 80, W + 80] at 1 mm, D, H, W multiples of 15 -> chances [5, planes, H, W] of the planes asked for."""

    reach = MARGIN * SCALES[0]

    def __init__(self):
        super().__init__()
        widths = (1, *WIDTHS)
        self.paths = nn.ModuleList(nn.Sequential(*(PreActivated(i, o, 3) for i, o in zip(widths, WIDTHS))) for _ in SCALES)
        self.joined = nn.Sequential(PreActivated(3 * WIDTHS[-1], 250, 1), PreActivated(250, 250, 1), PreActivated(250, 5, 1))

    def load(self, file):
        """Takes a state dict of BLAST-CT: `path(5, 5, 5)0.path.1.conv.weight`, ..., `fully_connected.0.bn.bias`."""
        renamed = {}
        for name, value in torch.load(file, map_location="cpu").items():
            part, *rest = name.replace("fully_connected", "joined").split(".")
            if part.startswith("path"):
                rest = [str(int(rest[1]) - 1), *rest[2:]]
                part = f"paths.{part[-1]}"
            renamed[".".join([part, *rest])] = value
        self.load_state_dict(renamed)
        return self.eval()

    def forward(self, x, planes):
        outs = []
        for scale, path in zip(SCALES, self.paths):
            spare = self.reach - MARGIN * scale
            inner = x[:, :, spare : x.shape[2] - spare, spare : x.shape[3] - spare, spare : x.shape[4] - spare]
            y = path(inner[:, :, scale // 2 :: scale, scale // 2 :: scale, scale // 2 :: scale])
            y = y[:, :, [p // scale for p in planes]]
            outs.append(F.interpolate(y, scale_factor=(1, scale, scale), mode="nearest"))
        return torch.softmax(self.joined(torch.cat(outs, 1)).float(), 1)[0]


def millimetres(image):
    """A CT-ICH slice at 1 mm."""
    side = round(len(image) * CT_ICH_MM)
    return np.asarray(Image.fromarray(image, mode="F").resize((side, side), Image.Resampling.BILINEAR))


def volume(images):
    """HU [5 T, side, side] at 1 mm from slices, between whose middles HU go in straight lines."""
    thin = np.stack([millimetres(np.clip(image, *WINDOW)) for image in images])
    where = np.clip((np.arange(len(thin) * SLICE_MM) - SLICE_MM // 2) / SLICE_MM, 0, len(thin) - 1)
    low = np.floor(where).astype(int)
    part = (where - low)[:, None, None].astype(np.float32)
    return thin[low] * (1 - part) + thin[np.minimum(low + 1, len(thin) - 1)] * part


def whole(length):
    """The next multiple of 15, so that every third and every fifth voxel make up whole outputs."""
    return -(-length // 15) * 15


def segment(nets, images, wanted, slab=6):
    """Chances [P, 3, side, side] at 1 mm of the slices `wanted`, mean of the networks."""
    hu = volume(images)
    side = hu.shape[1]
    head = hu > WINDOW[0]
    (top, bottom), (left, right) = (np.flatnonzero(head.any(others))[[0, -1]] for others in ((0, 2), (0, 1)))
    height, width = (whole(int(last) - int(first) + 1) for first, last in ((top, bottom), (left, right)))
    x = (2 * hu - sum(WINDOW)) / (WINDOW[1] - WINDOW[0])
    reach, out = DeepMedic.reach, np.zeros((len(wanted), 3, side, side), np.float32)
    pad = reach + 15 * slab
    x = np.pad(x, ((pad, pad), (reach, reach + height), (reach, reach + width)), constant_values=-1)
    place = {int(t): i for i, t in enumerate(wanted)}
    left_over = sorted(place)
    while left_over:
        first = left_over[0]
        here = [t for t in left_over if t < first + slab]
        left_over = left_over[len(here) :]
        deep = whole((here[-1] - first + 1) * SLICE_MM)
        z = pad + first * SLICE_MM
        part = x[z - reach : z + deep + reach, top : top + height + 2 * reach, left : left + width + 2 * reach]
        part = torch.from_numpy(np.ascontiguousarray(part, np.float32))[None, None]
        planes = [(t - first) * SLICE_MM + SLICE_MM // 2 for t in here]
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            chance = sum(net(part, planes) for net in nets) / len(nets)
        chance = chance[list(BLOOD.values())].numpy()
        h, w = min(height, side - top), min(width, side - left)
        for i, t in enumerate(here):
            out[place[t], :, top : top + h, left : left + w] = chance[:, i, :h, :w]
    return out


def report(cohort, rows, chance):
    """How the chances fit the slices that a person outlined."""
    hits, dices, inside, names = [], [], [], []
    for row, maps in zip(rows, chance):
        mask = cohort.mask[row] == 1
        if cohort.mask[row].max() > 1 or not mask.any():
            continue
        most = maps.max(0)
        y, x = np.unravel_index(np.argmax(most), most.shape)
        hits.append(mask[y, x])
        told = most > 127
        dices.append(2 * (told & mask).sum() / (told.sum() + mask.sum()))
        inside.append(most[mask].mean() / 255)
        names.append("+".join(c[:4] for k, c in enumerate(CLASSES[:5]) if cohort.labels[row, k]))
    for name, *values in zip(names, hits, dices, inside):
        print(f"{name:12s} maximum inside {bool(values[0])!s:5s} Dice {values[1]:.2f} mean chance inside {values[2]:.2f}")
    print(f"{len(hits)} outlined slices: maximum inside {np.mean(hits):.2f}, mean Dice {np.mean(dices):.2f}")


def main(options):
    machine.use(options.threads)
    cohort = Cohort(options.cache)
    nets = [DeepMedic().load(options.data / f"blast-ct-v1/model_{k}.pt") for k in options.models]
    file = options.cache / "teacher.npz"
    rows, chance = [], []
    if file.exists():
        kept = np.load(file)
        rows, chance = list(kept["row"]), list(kept["chance"])
    pictures = {}
    for record, hu, *_ in ct_ich_rows(options.data / "ct-ich"):
        pictures[record["patient"], record["slice"]] = hu
    for study, here in cohort.studies():
        wanted = [t for t, row in enumerate(here) if cohort.labels[row, -1] and row not in rows]
        if not wanted:
            continue
        began = time.time()
        images = [pictures[cohort.patient[row], cohort.slice[row]] for row in here]
        for t, maps in zip(wanted, segment(nets, images, wanted)):
            box = head_box(images[t])
            whole = [np.asarray(Image.fromarray(m, mode="F").resize(images[t].shape[::-1], Image.Resampling.BILINEAR)) for m in maps]
            rows.append(here[t])
            chance.append(np.stack([np.round(np.clip(wide_crop(m, box, 0), 0, 1) * 255) for m in whole]).astype(np.uint8))
        np.savez(options.cache / "teacher.new.npz", row=np.array(rows), chance=np.stack(chance))
        (options.cache / "teacher.new.npz").replace(file)
        print(f"{study}: {len(wanted)} slices, {time.time() - began:.0f} s", file=sys.stderr, flush=True)
    report(cohort, rows, chance)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--models", type=int, nargs="+", default=[1, 2, 3], help="numbers of BLAST-CT's networks, 1 to 12")
    parser.add_argument("--threads", type=int, default=2)
    main(parser.parse_args())
