"""The loop over pixels of `scale`, compiled by `lstmjax.simd.compile`."""

import numpy as np


def average_areas(pixels, top, bottom, left, right, out):
    """Write the mean of the area under each target pixel, rounded.

    Args:
      pixels: [h, w, channels] uint8.
      top: where the area of each target row begins, in sixteenths of a source row.
      bottom: where it ends.
      left: likewise of each target column.
      right: likewise.
      out: [rows, columns, channels] uint8.
    """
    h, w, channels = pixels.shape
    flat = pixels.reshape(h, w * channels)
    sums = np.empty(w * channels, np.int32)  # of a row of areas, over source rows
    for y in range(len(top)):
        first, last = top[y] >> 4, bottom[y] >> 4
        head, tail = np.int32(top[y] & 15), np.int32(bottom[y] & 15)
        upper, lower = flat[first], flat[min(last, h - 1)]
        for i in range(len(sums)):
            sums[i] = tail * np.int32(lower[i]) - head * np.int32(upper[i])
        for row in range(first, last):
            source = flat[row]
            for i in range(len(sums)):
                sums[i] += np.int32(16) * np.int32(source[i])
        height = bottom[y] - top[y]
        for x in range(len(left)):
            begin, end = left[x] >> 4, right[x] >> 4
            area = height * (right[x] - left[x])
            for channel in range(channels):
                total = 0
                for column in range(begin, end):
                    total += sums[column * channels + channel]
                total *= 16
                total -= (left[x] & 15) * sums[begin * channels + channel]
                total += (right[x] & 15) * sums[min(end, w - 1) * channels + channel]
                out[y, x, channel] = (total + 128) // area
