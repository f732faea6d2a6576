"""Layers written as plainly as possible: Python loops over positions, autodiff for gradients."""

import jax
import jax.numpy as jnp

sigmoid = jax.nn.sigmoid


def lstm_rows(params, x, *, reverse=False, summary=False):
    """x: [H, W, D] of one line -> [H, W, S] (or [H, 1, S])."""
    H, W, _ = x.shape
    S = params["wh"].shape[0]
    rows = []
    for y in range(H):
        h = c = jnp.zeros(S)
        out = [h] * W
        for t in reversed(range(W)) if reverse else range(W):
            z = x[y, t] @ params["wx"] + h @ params["wh"] + params["b"]
            ci, gi, gf, go = z[:S], z[S : 2 * S], z[2 * S : 3 * S], z[3 * S :]
            c = sigmoid(gf) * c + sigmoid(gi) * jnp.tanh(ci)
            h = sigmoid(go) * jnp.tanh(c)
            out[t] = h
        rows.append(jnp.stack([h] if summary else out))
    return jnp.stack(rows)


def lstm_2d(params, x):
    """x: [H, W, D] of one line -> [H, W, S]."""
    H, W, _ = x.shape
    S = params["wh"].shape[0]
    zero = jnp.zeros(S)
    hs, cs = {}, {}
    for y in range(H):
        for t in range(W):
            left_h, left_c = hs.get((y, t - 1), zero), cs.get((y, t - 1), zero)
            up_h, up_c = hs.get((y - 1, t), zero), cs.get((y - 1, t), zero)
            z = x[y, t] @ params["wx"] + left_h @ params["wh"] + up_h @ params["wv"] + params["b"]
            ci, gi, gf, go, gs = (z[k * S : (k + 1) * S] for k in range(5))
            kept = sigmoid(gf) * left_c
            if y > 0:
                kept = jnp.where(gf < gs, sigmoid(gs) * up_c, kept)
            cs[y, t] = kept + sigmoid(gi) * jnp.tanh(ci)
            hs[y, t] = sigmoid(go) * jnp.tanh(cs[y, t])
    return jnp.stack([jnp.stack([hs[y, t] for t in range(W)]) for y in range(H)])


def neighbours(x, half_x, half_y):
    """x: [H, W, D] -> [H, W, taps * D], zero outside."""
    H, W, D = x.shape
    rows = []
    for y in range(H):
        row = []
        for t in range(W):
            taps = []
            for dx in range(-half_x, half_x + 1):
                for dy in range(-half_y, half_y + 1):
                    inside = 0 <= t + dx < W and 0 <= y + dy < H
                    taps.append(x[y + dy, t + dx] if inside else jnp.zeros(D))
            row.append(jnp.concatenate(taps))
        rows.append(jnp.stack(row))
    return jnp.stack(rows)


def cells(x, x_scale, y_scale):
    """x: [H, W, D] -> [h, w, pixels of a cell, D], x offset outer."""
    h, w = x.shape[0] // y_scale, x.shape[1] // x_scale
    return jnp.stack(
        [
            jnp.stack(
                [
                    jnp.stack(
                        [
                            x[y * y_scale + dy, t * x_scale + dx]
                            for dx in range(x_scale)
                            for dy in range(y_scale)
                        ]
                    )
                    for t in range(w)
                ]
            )
            for y in range(h)
        ]
    )
