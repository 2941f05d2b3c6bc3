"""Inner loops of shift detection: local contrast of frames, and the equations of curves."""

from __future__ import annotations

import numpy as np

from nxscan.kernels.compiling import njit

_STEEPEST = 0.5
"""Most that a value may differ from its curve, of the curve: what differs more counts as that."""
_SIGNIFICANT = 25.0
"""A curve counts if the square of its largest value is this many times the noise's variance."""
_FEWEST = 4


@njit(nogil=True, cache=True, error_model="numpy")
def _box(image, radius, out):  # type: ignore[no-untyped-def]
    """Average squares of 2 · radius + 1 pixels; at the edges, of what there is."""
    height, width = image.shape
    line = np.zeros(width + 2 * radius, np.float32)
    column, one = line[radius : radius + width], np.empty(width, np.float32)
    for x in range(width):
        one[x] = 1 / (min(x + radius, width - 1) - max(x - radius, 0) + 1)
    for y in range(height):
        first, last = max(y - radius, 0), min(y + radius, height - 1)
        column[:] = image[first]
        for j in range(first + 1, last + 1):
            row = image[j]
            for x in range(width):
                column[x] += row[x]
        row, share = out[y], np.float32(1 / (last - first + 1))
        row[:] = line[:width]
        for k in range(1, 2 * radius + 1):
            part = line[k : k + width]
            for x in range(width):
                row[x] += part[x]
        for x in range(width):
            row[x] *= one[x] * share


@njit(nogil=True, cache=True)
def soften(image, out):  # type: ignore[no-untyped-def]
    """Smooth by (1 4 6 4 1) / 16 in both directions, about a Gaussian of one pixel."""
    height, width = image.shape
    line = np.empty(width + 4, np.float32)
    six, four, part = np.float32(6), np.float32(4), np.float32(1 / 256)
    for y in range(height):
        a, b = image[max(y - 2, 0)], image[max(y - 1, 0)]
        d, e = image[min(y + 1, height - 1)], image[min(y + 2, height - 1)]
        c = image[y]
        for x in range(width):
            line[x + 2] = a[x] + e[x] + four * (b[x] + d[x]) + six * c[x]
        line[0] = line[1] = line[2]
        line[width + 2] = line[width + 3] = line[width + 1]
        row = out[y]
        for x in range(width):
            row[x] = part * (
                line[x] + line[x + 4] + four * (line[x + 1] + line[x + 3]) + six * line[x + 2]
            )


@njit(nogil=True, cache=True, error_model="numpy")
def local_contrast(image, base, radius, out):  # type: ignore[no-untyped-def]
    """Give a frame's texture, wherever it is bright or dark, about 1 in size.

    The square root of the counts, whose noise is alike everywhere, smoothed by a pixel, less its
    mean around, over the root of its mean square around and of twice the median of that over
    the frame: noise stays small. Missing values become 0.
    """
    height, width = image.shape
    mean, power = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    low, none = np.float32(base), np.float32(0)
    for y in range(height):
        given, root = image[y], power[y]
        for x in range(width):
            value = given[x] - low
            root[x] = np.sqrt(value if value > none else none)
    soften(power, out)
    _box(out, radius, mean)
    for y in range(height):
        given, here, around = image[y], out[y], mean[y]
        for x in range(width):
            value = here[x] - around[x] if given[x] == given[x] else none
            here[x] = value
            around[x] = value * value
    _box(mean, radius, power)
    floor = np.float32(2 * np.median(power[::8, ::8].copy()) + 1e-12)
    for y in range(height):
        here, around = out[y], power[y]
        for x in range(width):
            here[x] /= np.sqrt(around[x] + floor)


@njit(nogil=True, cache=True, inline="always")
def _at(image, y, x, a, b):  # type: ignore[no-untyped-def]
    """Interpolate between four pixels."""
    return (image[y, x] * (1 - a) + image[y + 1, x] * a) * (1 - b) + (
        image[y, x + 1] * (1 - a) + image[y + 1, x + 1] * a
    ) * b


@njit(nogil=True, cache=True)
def _inverse(a, out):  # type: ignore[no-untyped-def]
    """Invert a symmetric 3 × 3 matrix."""
    c00 = a[1, 1] * a[2, 2] - a[1, 2] * a[1, 2]
    c01 = a[1, 2] * a[0, 2] - a[0, 1] * a[2, 2]
    c02 = a[0, 1] * a[1, 2] - a[1, 1] * a[0, 2]
    one = 1.0 / (a[0, 0] * c00 + a[0, 1] * c01 + a[0, 2] * c02)
    out[0, 0], out[0, 1], out[0, 2] = c00 * one, c01 * one, c02 * one
    out[1, 0], out[2, 0] = out[0, 1], out[0, 2]
    out[1, 1] = (a[0, 0] * a[2, 2] - a[0, 2] * a[0, 2]) * one
    out[1, 2] = (a[0, 1] * a[0, 2] - a[0, 0] * a[1, 2]) * one
    out[2, 1] = out[1, 2]
    out[2, 2] = (a[0, 0] * a[1, 1] - a[0, 1] * a[0, 1]) * one


@njit(nogil=True, cache=True)
def _sample(frames, shifts, r, c, values):  # type: ignore[no-untyped-def]
    """Take a pixel of the sample out of every frame, and return the frame where it is largest."""
    top, at = 0.0, -1
    for k in range(frames.shape[0]):
        y, x = r + shifts[k, 0], c + shifts[k, 1]
        values[k] = np.nan
        if y >= 1 and x >= 1 and y < frames.shape[1] - 3 and x < frames.shape[2] - 3:
            i, j = int(y), int(x)
            values[k] = _at(frames[k], i, j, y - i, x - j)
            if values[k] > top:
                top, at = values[k], k
    return at


@njit(nogil=True, cache=True)
def _lit(values, top, part, most, offset, use):  # type: ignore[no-untyped-def]
    """List the frames around the brightest in which a pixel is lit, ``most`` of them or fewer."""
    first = last = top
    while first > 0 and values[first - 1] > part * values[top]:
        first -= 1
    while last < values.size - 1 and values[last + 1] > part * values[top]:
        last += 1
    hop = 1 + (last - first) // most
    count = 0
    for k in range(first + offset % hop, last + 1, hop):
        use[count] = k
        count += 1
    return count


@njit(nogil=True, cache=True)
def _fit(values, use, count, top, floor, misfit, prior, theta, inverse, rest, weight):  # type: ignore[no-untyped-def]
    """Fit ln of the values by a parabola, and give what is left of each and its weight.

    First ln of the values themselves, then, twice, what they are more than the curve, over the
    curve, as Fisher scoring with a log link does: noise and weak values do not bend the curve.
    """
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for sweep in range(3):
        normal[:] = 0.0
        right[:] = 0.0
        for q in range(count):
            t = float(use[q] - top)
            value = values[use[q]]
            if sweep == 0:
                weight[q], rest[q] = value * value, np.log(value)
            else:
                log = theta[0] + t * (theta[1] + t * theta[2])
                curve = np.exp(min(log, 30.0))
                more = min(max((value - curve) / curve, -_STEEPEST), _STEEPEST)
                weight[q] = curve * curve / (floor + misfit * curve * curve)
                rest[q] = log + more
            work = rest[q] - (t * (prior[0] + t * prior[1]) if sweep else 0.0)
            powers = (1.0, t, t * t)
            for e in range(3):
                right[e] += weight[q] * powers[e] * work
                for f in range(3):
                    normal[e, f] += weight[q] * powers[e] * powers[f]
        if sweep:
            normal[1, 1] += prior[2]
            normal[2, 2] += prior[3]
        _inverse(normal, inverse)
        for e in range(3):
            theta[e] = (
                inverse[e, 0] * right[0] + inverse[e, 1] * right[1] + inverse[e, 2] * right[2]
            )
        if sweep:
            theta[1] += prior[0]
            theta[2] += prior[1]
    for q in range(count):
        t = float(use[q] - top)
        rest[q] -= theta[0] + t * (theta[1] + t * theta[2])


@njit(nogil=True, cache=True)
def curve_equations(  # type: ignore[no-untyped-def]
    frames, shifts, floor, misfit, part, most, prior, rows, step, normal, right, found
):
    """Add up the normal equations of the shifts of frames, from the curves of a band of pixels.

    The curve of a pixel of the sample is ``exp(θ0 + θ1 t + θ2 t²)`` around its brightest frame,
    with parameters of its own, which are eliminated: what a shift of a frame changes, and no
    parameters would, is left.

    Parameters
    ----------
    frames : array of float32, shape (n, y, x)
        Smoothed frames without background; NaN where nothing was measured.
    shifts : array, shape (n, 2)
        Where a pixel of the sample lies in each frame, less where it lies without shift.
    floor, misfit : float
        A value v has the variance floor + misfit · v².
    part : float
        A pixel is lit as long as it has this part of its largest value.
    most : int
        How many frames of a pixel are taken, spread over those in which it is lit.
    prior : array, shape (4,)
        Mean of θ1 and θ2 and what they weigh.
    rows : tuple of int
        First row of the band, and the one after the last.
    step : int
        Every which pixel is taken.
    normal, right : array, shapes (groups, n, 2, n, 2) and (groups, n, 2)
        The equations; columns of pixels fall into as many groups.
    found : array, shape (groups, 5)
        Number of curves, sums of θ1, θ2, θ1², θ2².

    """
    count, height, width = frames.shape
    values, rest, weight = np.empty(count), np.empty(count), np.empty(count)
    steep = np.empty((count, 2))
    use = np.empty(count, np.int64)
    theta, inverse, u = np.zeros(3), np.zeros((3, 3)), np.zeros(3)
    groups = normal.shape[0]
    for r in range(max(rows[0], 2), min(rows[1], height - 2), step):
        for c in range(2, width - 2, step):
            g = c * groups // width
            top = _sample(frames, shifts, r, c, values)
            if top < 0 or values[top] * values[top] < _SIGNIFICANT * floor:
                continue
            lit = _lit(values, top, part, most, r + c, use)
            if lit < _FEWEST:
                continue
            _fit(values, use, lit, top, floor, misfit, prior, theta, inverse, rest, weight)
            for q in range(lit):
                k = use[q]
                t = float(k - top)
                curve = np.exp(min(theta[0] + t * (theta[1] + t * theta[2]), 30.0))
                y, x = r + shifts[k, 0], c + shifts[k, 1]
                i, j = int(y), int(x)
                a, b = y - i, x - j
                image = frames[k]
                dy = _at(image, i + 1, j, a, b) - _at(image, i - 1, j, a, b)
                dx = _at(image, i, j + 1, a, b) - _at(image, i, j - 1, a, b)
                steep[q, 0] = dy / (2 * curve) if dy == dy else 0.0
                steep[q, 1] = dx / (2 * curve) if dx == dx else 0.0
                right[g, k, 0] += weight[q] * rest[q] * steep[q, 0]
                right[g, k, 1] += weight[q] * rest[q] * steep[q, 1]
            found[g, 0] += 1
            for e in range(2):
                found[g, 1 + e] += theta[1 + e]
                found[g, 3 + e] += theta[1 + e] * theta[1 + e]
            for q in range(lit):
                k, t = use[q], float(use[q] - top)
                for e in range(3):
                    u[e] = weight[q] * (inverse[0, e] + t * inverse[1, e] + t * t * inverse[2, e])
                for s in range(lit):
                    m, v = use[s], float(use[s] - top)
                    share = -(u[0] + v * u[1] + v * v * u[2]) * weight[s]
                    if s == q:
                        share += weight[q]
                    for e in range(2):
                        for f in range(2):
                            normal[g, k, e, m, f] += share * steep[q, e] * steep[s, f]
