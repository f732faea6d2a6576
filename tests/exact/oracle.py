"""Tesseract's training arithmetic written as plainly as possible: loops over positions, NumPy.

Forward and backward over one line [H, W, D], in double precision, from the C++ of src/lstm. Only
the order of sums and the width of numbers differ from the original.
"""

import numpy as np

from lstmjax.netspec.tree import (
    Convolve,
    Dense,
    Input,
    Lstm,
    Maxpool,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
)

TABLE_STEPS, TABLE_SIZE = 256, 4096


def _interpolated(function, x):
    """A function from its table of 4096 entries, 256 a unit; 1 from the last entry on."""
    u = np.abs(x) * TABLE_STEPS
    low = np.minimum(u.astype(int), TABLE_SIZE - 1)
    first, second = (function(at / TABLE_STEPS) for at in (low, low + 1))
    return np.where(low >= TABLE_SIZE - 1, 1.0, first + (second - first) * (u - low))


def tanh(x):
    x = np.asarray(x, np.float64)
    return np.sign(x) * _interpolated(np.tanh, x)


def logistic(x):
    x = np.asarray(x, np.float64)
    y = _interpolated(lambda at: 1 / (1 + np.exp(-at)), x)
    return np.where(x < 0, 1 - y, y)


def softmax(z):
    e = np.exp(np.maximum(z - z.max(-1, keepdims=True), -86))
    return e / e.sum(-1, keepdims=True)


VALUES = {
    "tanh": tanh,
    "logistic": logistic,
    "relu": lambda z: np.maximum(z, 0),
    "lin_logistic": lambda z: np.clip(z, 0, 1),
    "lin_tanh": lambda z: np.clip(z, -1, 1),
    "linear": lambda z: z,
    "softmax": softmax,
    "softmax_no_ctc": softmax,
}
SLOPES = {  # from the output; errors pass a linear layer and a softmax unchanged
    "tanh": lambda y: 1 - y * y,
    "logistic": lambda y: y * (1 - y),
    "relu": lambda y: y > 0,
    "lin_logistic": lambda y: (y > 0) & (y < 1),
    "lin_tanh": lambda y: (y > -1) & (y < 1),
}


def run(node, params, x, borders):
    """The output of a node, and the function from output errors to (input errors, gradients)."""
    match node:
        case Input():
            return x, lambda d: (d, {})
        case Series():
            return _series(node, params, x, borders)
        case Parallel():
            return _parallel(node, params, x, borders)
        case Reversed():
            return _reversed(node, params, x, borders)
        case Convolve():
            return _convolve(node, x, next(borders))
        case Maxpool():
            return _maxpool(node, x)
        case Reconfig():
            return _reconfig(node, x)
        case Dense():
            return _dense(node, params, x)
        case Lstm() | SoftmaxLstm():
            return _lstm(node, params, x)
    raise TypeError(node)


def _series(node, params, x, borders):
    backs = []
    for i, each in enumerate(node.children):
        x, back = run(each, params.get(str(i), {}), x, borders)
        backs.append(back)

    def backward(d):
        found = {}
        for i in reversed(range(len(backs))):
            d, found[str(i)] = backs[i](d)
        return d, {key: found[key] for key in params}

    return x, backward


def _parallel(node, params, x, borders):
    done = [run(each, params.get(str(i), {}), x, borders) for i, each in enumerate(node.children)]
    ends = np.cumsum([y.shape[2] for y, _ in done])[:-1]

    def backward(d):
        parts = np.split(d, ends, axis=2)
        backs = [back(part) for (_, back), part in zip(done, parts, strict=True)]
        grads = {str(i): found for i, (_, found) in enumerate(backs)}
        return sum(dx for dx, _ in backs) / len(backs), {key: grads[key] for key in params}

    return np.concatenate([y for y, _ in done], axis=2), backward


def _reversed(node, params, x, borders):
    def turn(x):
        return {"x": x[:, ::-1], "y": x[::-1], "xy": x.transpose(1, 0, 2)}[node.axis]

    y, back = run(node.child, params.get("0", {}), turn(x), borders)

    def backward(d):
        dx, grads = back(turn(d))
        return turn(dx), ({"0": grads} if params else {})

    return turn(y), backward


def _windows(node, x):
    """Place of each neighbour of each position: pairs of a neighbour's index and (y, x)."""
    H, W, _ = x.shape
    for y, t in np.ndindex(H, W):
        offsets = np.ndindex(2 * node.half_x + 1, 2 * node.half_y + 1)
        for tap, (dx, dy) in enumerate(offsets):
            at = y + dy - node.half_y, t + dx - node.half_x
            if 0 <= at[0] < H and 0 <= at[1] < W:
                yield (y, t, tap), at


def _convolve(node, x, border):
    H, W, D = x.shape
    taps = (2 * node.half_x + 1) * (2 * node.half_y + 1)
    y = np.zeros((H, W, taps, D))
    for place, at in _windows(node, x):
        y[place] = x[at]
    y.reshape(-1)[border.at] = border.value

    def backward(d):
        dx, d = np.zeros_like(x), d.reshape(H, W, taps, D)
        for place, at in _windows(node, x):
            dx[at] += d[place]
        return dx, {}

    return y.reshape(H, W, -1), backward


def _cells(node, x):
    """[h, w, pixels of a cell, D], x offset outer; remainders dropped."""
    h, w = x.shape[0] // node.y_scale, x.shape[1] // node.x_scale
    whole = x[: h * node.y_scale, : w * node.x_scale]
    cells = whole.reshape(h, node.y_scale, w, node.x_scale, -1).transpose(0, 2, 3, 1, 4)
    return cells.reshape(h, w, node.y_scale * node.x_scale, -1)


def _from_cells(node, cells, like):
    h, w, _, D = cells.shape
    out = np.zeros_like(like)
    pixels = cells.reshape(h, w, node.x_scale, node.y_scale, D).transpose(0, 3, 1, 2, 4)
    out[: h * node.y_scale, : w * node.x_scale] = pixels.reshape(
        h * node.y_scale, w * node.x_scale, D
    )
    return out


def _maxpool(node, x):
    cells = _cells(node, x)
    best = cells.argmax(2)[:, :, None]  # the first of equal ones

    def backward(d):
        back = np.zeros_like(cells)
        np.put_along_axis(back, best, d[:, :, None], axis=2)
        return _from_cells(node, back, x), {}

    return np.take_along_axis(cells, best, axis=2)[:, :, 0], backward


def _reconfig(node, x):
    cells = _cells(node, x)
    return cells.reshape(*cells.shape[:2], -1), lambda d: (
        _from_cells(node, d.reshape(cells.shape), x),
        {},
    )


def _weights_gradient(x, d):
    return np.einsum("yti,yto->io", x, d)


def _dense(node, params, x):
    y = VALUES[node.activation](x @ params["w"] + params["b"])

    def backward(d):
        if node.activation in SLOPES:
            d = d * SLOPES[node.activation](y)
        return d @ params["w"].T, {"w": _weights_gradient(x, d), "b": d.sum((0, 1))}

    return y, backward


def _lstm(node, params, x):
    H, W, _ = x.shape
    S, two_d = node.num_states, "wv" in params
    fed_back = isinstance(node, SoftmaxLstm)
    h, c, probs, gates = {}, {}, {}, {}
    nothing = np.zeros(S)
    feds = np.zeros((H, W, node.num_feedback if fed_back else 0))
    fed = np.zeros(feds.shape[2])
    for y, t in np.ndindex(H, W):
        z = x[y, t] @ params["wx"] + params["b"] + h.get((y, t - 1), nothing) @ params["wh"]
        if fed_back:
            feds[y, t] = fed
            z = z + fed @ params["wf"]
        if two_d:
            z = z + h.get((y - 1, t), nothing) @ params["wv"]
        a, i, f, o, *g = (
            (logistic if k else tanh)(part) for k, part in enumerate(np.split(z, len(z) // S))
        )
        taken = np.zeros(S, bool) if not g or y == 0 else f < g[0]
        state = f * c.get((y, t - 1), nothing)
        if taken.any():
            state = np.where(taken, g[0] * c[y - 1, t], state)
        c[y, t] = np.clip(state + i * a, -100, 100)
        h[y, t] = o * tanh(c[y, t])
        gates[y, t] = a, i, f, o, (g[0] if g else nothing), taken
        if fed_back:
            head = params["softmax"]
            fed = probs[y, t] = softmax(h[y, t] @ head["w"] + head["b"])
            if node.binary:
                fed = np.array([int(fed.argmax()) >> bit & 1 for bit in range(len(feds[y, t]))])

    def grid(values):
        return np.array([[values[y, t] for t in range(W)] for y in range(H)])

    outputs = grid(h)

    def backward(d):
        grads = {}
        if fed_back:
            grads["softmax"] = {"w": _weights_gradient(outputs, d), "b": d.sum((0, 1))}
            d = d @ params["softmax"]["w"].T
        elif node.summary:
            d = np.concatenate([np.zeros((H, W - 1, S)), d], axis=1)
        dz = _gate_errors(params, d, c, gates, two_d)
        left = np.concatenate([np.zeros((H, 1, S)), outputs[:, :-1]], axis=1)
        above = np.concatenate([np.zeros((1, W, S)), outputs[:-1]], axis=0)
        sources = {"wx": x, "wf": feds, "wh": left, "wv": above}
        grads |= {
            key: _weights_gradient(source, dz) for key, source in sources.items() if key in params
        }
        return dz @ params["wx"].T, grads | {"b": dz.sum((0, 1))}

    if fed_back:
        return grid(probs), backward
    return (outputs[:, -1:] if node.summary else outputs), backward


def _gate_errors(params, d, c, gates, two_d):
    """Errors of the gates' sums at all positions, clipped as in the original."""
    H, W, S = d.shape
    dz, dc = {}, {}
    for y, t in reversed(list(np.ndindex(H, W))):
        a, i, f, o, g, _ = gates[y, t]
        dh, error = d[y, t].copy(), np.zeros(S)
        if t + 1 < W:
            _, _, right_f, _, _, right_taken = gates[y, t + 1]
            dh += dz[y, t + 1] @ params["wh"].T
            error += np.where(right_taken, 0, dc[y, t + 1] * right_f)
        if two_d and y + 1 < H:
            _, _, _, _, below_g, below_taken = gates[y + 1, t]
            dh += dz[y + 1, t] @ params["wv"].T
            error += np.where(below_taken, dc[y + 1, t] * below_g, 0)
        squashed = tanh(c[y, t])
        bound = 9 if two_d else 4
        error = np.clip(error + dh * o * (1 - squashed**2), -bound, bound)
        # The state before is that at the index before, even at the start of a row.
        before = c[y, t - 1] if t else c[y - 1, W - 1] if y else np.zeros(S)
        parts = [
            error * i * (1 - a * a),
            error * a * i * (1 - i),
            error * before * f * (1 - f),
            dh * squashed * o * (1 - o),
        ]
        if two_d:  # this gate learns whether or not it won
            parts.append(error * (c[y - 1, t] if y else np.zeros(S)) * g * (1 - g))
        dz[y, t], dc[y, t] = np.clip(np.concatenate(parts), -1, 1), error
    return np.array([[dz[y, t] for t in range(W)] for y in range(H)])
