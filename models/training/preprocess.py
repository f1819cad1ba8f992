"""From DICOM or a HU image to the network's input, as docs/model-package.md lays down.

Images are float32 arrays [rows, columns] in Hounsfield units. A box is (x, y, side) in pixels, in floating point:
the left and upper edge and the length of a side. The same steps are in src/infer/preprocess.ts; the golden values
that golden.py writes hold the two together.
"""
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

AIR = -1000.0


@dataclass(frozen=True)
class Channel:
    """One input channel: a window (centre and width in HU) of the slab `offset` slabs away."""

    center: float
    width: float
    mean: float = 0.5
    std: float = 0.5
    offset: int = 0


@dataclass(frozen=True)
class InputSpec:
    """What the manifest's `input` says. The three windows are those of Burduja et al. 2020 (Sensors 20(19), 5611);
    mean and std map them to [-1, 1], which is what the ImageNet weights were trained with."""

    size: int = 256
    channels: tuple = (Channel(40, 80), Channel(80, 200), Channel(40, 380))
    threshold_hu: float = -200.0
    margin: float = 1.05
    slab_below_mm: float = 2.5
    slab_thickness_mm: float = 5.0

    def manifest(self):
        return {
            "size": self.size,
            "channels": [
                {"offset": c.offset, "center": c.center, "width": c.width, "mean": c.mean, "std": c.std}
                for c in self.channels
            ],
            "crop": {"thresholdHu": self.threshold_hu, "margin": self.margin},
            "slab": {"belowMm": self.slab_below_mm, "thicknessMm": self.slab_thickness_mm},
        }


SPEC = InputSpec()


def dicom_hu(dataset):
    """HU [rows, columns] of one single-frame CT image; padding becomes air."""
    stored = dataset.pixel_array
    hu = stored.astype(np.float32) * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    padding = dataset.get("PixelPaddingValue")
    if padding is not None:
        hu[stored == int(padding)] = AIR
    return hu


def oriented(hu, orientation):
    """Turns an axial image so that rows run from the patient's right to left and columns from anterior to posterior.
    `orientation` is Image Orientation (Patient); only flips and a transpose are done."""
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    if abs(row[0]) < abs(column[0]):
        hu, row, column = hu.T, column, row
    if row[0] < 0:
        hu = hu[:, ::-1]
    if column[1] < 0:
        hu = hu[::-1]
    return np.ascontiguousarray(hu)


def slabs(images, positions, spec=SPEC):
    """Averages slices [T, rows, columns] at `positions` (mm along the normal, ascending) into slabs where they lie
    closer than spec.slab_below_mm. The grid is multiples of the thickness in patient coordinates."""
    positions = np.asarray(positions, float)
    if len(positions) < 2 or np.median(np.diff(positions)) >= spec.slab_below_mm:
        return images
    cells = np.floor(positions / spec.slab_thickness_mm).astype(int)
    return np.stack([images[cells == cell].mean(0) for cell in np.unique(cells)]).astype(np.float32)


def load_series(paths, spec=SPEC):
    """HU slabs [T, rows, columns] of a single-frame axial series, inferior to superior."""
    import pydicom

    items = []
    for path in paths:
        dataset = pydicom.dcmread(str(path))
        orientation = [float(v) for v in dataset.ImageOrientationPatient]
        normal = np.cross(orientation[:3], orientation[3:])
        normal = normal if normal[2] >= 0 else -normal
        position = float(np.dot(normal, [float(v) for v in dataset.ImagePositionPatient]))
        items.append((position, oriented(dicom_hu(dataset), orientation)))
    items.sort(key=lambda item: item[0])
    return slabs(np.stack([image for _, image in items]), [position for position, _ in items], spec)


def head_box(hu, spec=SPEC):
    """The square box (x, y, side) around the head, or the largest centred square where no head is seen."""
    rows, columns = hu.shape
    k = max(1, min(rows, columns) // 128)
    blocks = hu[: rows // k * k, : columns // k * k].reshape(rows // k, k, columns // k, k).mean((1, 3))
    threshold = spec.threshold_hu if hu.min() < -400 else hu.min() + 10
    mask = blocks > threshold
    shorter = float(min(rows, columns))
    if mask.mean() < 0.02:
        return (columns - shorter) / 2, (rows - shorter) / 2, shorter
    labels, _ = ndimage.label(mask)
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    ys, xs = ndimage.find_objects(labels)[largest - 1]
    width, height = (xs.stop - xs.start) * k, (ys.stop - ys.start) * k
    side = min(max(width, height) * spec.margin, shorter)
    x = (xs.start + xs.stop) * k / 2 - side / 2
    y = (ys.start + ys.stop) * k / 2 - side / 2
    return min(max(x, 0.0), columns - side), min(max(y, 0.0), rows - side), side


def resample(hu, box, size):
    """The box of a HU image at size x size, by Pillow's triangle filter on float32."""
    x, y, side = box
    image = Image.fromarray(np.ascontiguousarray(hu, dtype=np.float32), mode="F")
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=(x, y, x + side, y + side)))


def windowed(hu, spec=SPEC):
    """The input channels [C, ...] of a HU image or batch [...]: each window to 0..1, then standardised."""
    planes = [
        (np.clip((hu - (c.center - c.width / 2)) / c.width, 0, 1) - c.mean) / c.std for c in spec.channels
    ]
    return np.stack(planes).astype(np.float32)


def cropped(hu, spec=SPEC):
    """HU at the network's size, cropped to the head."""
    return resample(hu, head_box(hu, spec), spec.size)


def slices_input(images, spec=SPEC):
    """Network input [T, C, size, size] of a series of HU images [T, rows, columns] (channel offsets must be 0)."""
    if any(c.offset for c in spec.channels):
        raise ValueError("this training line uses single slices only")
    return np.stack([windowed(cropped(image, spec), spec) for image in images])
