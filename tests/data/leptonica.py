"""The real image library, called directly: the oracle for scaling."""

import ctypes

import numpy as np


class Leptonica:
    """The few functions of the real library that make, scale and read an image."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        pix, number = ctypes.c_void_p, ctypes.c_int
        signatures = {
            "pixCreate": (pix, [number] * 3),
            "pixConvertTo8": (pix, [pix, number]),
            "pixScale": (pix, [pix, ctypes.c_float, ctypes.c_float]),
            "pixGetData": (ctypes.POINTER(ctypes.c_uint32), [pix]),
            "pixGetWpl": (number, [pix]),
            "pixGetWidth": (number, [pix]),
            "pixGetHeight": (number, [pix]),
            "pixGetDepth": (number, [pix]),
            "pixDestroy": (None, [ctypes.POINTER(pix)]),
            "setMsgSeverity": (number, [number]),
        }
        for name, (result, arguments) in signatures.items():
            function = getattr(self.lib, name)
            function.restype, function.argtypes = result, arguments
        self.lib.setMsgSeverity(6)

    def words(self, pix):
        shape = self.lib.pixGetHeight(pix), self.lib.pixGetWpl(pix)
        return np.ctypeslib.as_array(self.lib.pixGetData(pix), shape)

    def make(self, pixels):
        height, width = pixels.shape[:2]
        depth = 1 if pixels.dtype == bool else 8 if pixels.ndim == 2 else 32
        pix = self.lib.pixCreate(width, height, depth)
        words = self.words(pix)
        row = np.zeros((height, words.shape[1] * 4), np.uint8)
        if depth == 1:
            packed = np.packbits(~pixels, axis=1)
            row[:, : packed.shape[1]] = packed
        elif depth == 8:
            row[:, :width] = pixels
        else:
            row.reshape(height, -1, 4)[:, :width, :3] = pixels
        words[:] = row.view(np.uint32).byteswap()
        return pix

    def take(self, pix):
        """The pixels of an image, which is freed."""
        rows = self.words(pix).byteswap().view(np.uint8)
        width, depth = self.lib.pixGetWidth(pix), self.lib.pixGetDepth(pix)
        if depth == 1:
            result = np.where(np.unpackbits(rows, axis=1)[:, :width], 0, 255)
        elif depth == 8:
            result = rows[:, :width].copy()
        else:
            result = rows.reshape(len(rows), -1, 4)[:, :width, :3].copy()
        self.free(pix)
        return result

    def free(self, pix):
        self.lib.pixDestroy(ctypes.byref(ctypes.c_void_p(pix)))

    def scale(self, pixels, factor):
        pix = self.make(pixels)
        scaled = self.lib.pixScale(pix, factor, factor)
        self.free(pix)
        return self.take(scaled)

    def scale_to_grey(self, pixels, factor):
        pix = self.make(pixels)
        scaled = self.lib.pixScale(pix, factor, factor)
        grey = self.lib.pixConvertTo8(scaled, 0)
        for each in (pix, scaled):
            self.free(each)
        return self.take(grey)
