"""How the training line uses the machine it runs on."""
import ctypes

import torch

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def use(threads):
    """Computes on `threads` threads, and keeps freed memory for the next tensor. glibc's default returns each large one
    to the kernel, and faulting its pages in again takes longer than the network's arithmetic: an image's step took 33 ms
    so and 13 ms with its memory kept (two threads, torch 1.13)."""
    torch.set_num_threads(threads)
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for setting, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
            libc.mallopt(setting, value)
