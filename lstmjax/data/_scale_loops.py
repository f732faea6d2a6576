"""The loop over pixels of `scale`, compiled by `lstmjax.simd.compile`."""

import numpy as np


def average_areas(pixels, top, bottom, left, right, out):
    """Write the mean of the area under each target pixel, rounded.

    Sums are in units of 1/16 by 1/16 of a source pixel, as in the original.

    Args:
      pixels: [h, w, channels] uint8.
      top: [rows] begin of the area of each target row, in sixteenths of a source row.
      bottom: [rows] end of the area of each target row.
      left: [columns] begin of the area of each target column, in sixteenths of a source column.
      right: [columns] end of the area of each target column.
      out: [rows, columns, channels] uint8, written.
    """
    h, w, channels = pixels.shape
    flat = pixels.reshape(h, w * channels)
    sums = np.empty(w * channels, np.int32)  # columns summed over the source rows of a target row
    for y in range(len(top)):
        first, last = top[y] >> 4, bottom[y] >> 4
        head, tail = np.int32(top[y] & 15), np.int32(bottom[y] & 15)
        # Whole rows from `first` to `last`, less the head that lies above the area, plus the tail
        # of the row that it ends in. Without a tail, the row after it may not exist.
        upper, lower = flat[first], flat[min(last, h - 1)]
        for i in range(len(sums)):
            sums[i] = tail * np.int32(lower[i]) - head * np.int32(upper[i])
        for row in range(first, last):
            source = flat[row]
            for i in range(len(sums)):
                sums[i] += np.int32(16) * np.int32(source[i])
        # The same along the columns of these sums.
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
