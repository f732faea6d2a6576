"""Small valid records of every kind, made by hand or drawn by hypothesis."""

import struct

import numpy as np
from hypothesis import strategies as st

from lstmjax.formats.checkpoint import FULL, LIGHT, TrainerRecord
from lstmjax.formats.lstm import INT_MODE, RECODED, Recognizer
from lstmjax.formats.lstmf import Page
from lstmjax.formats.nodes import PARALLEL, REVERSED, NetworkNode
from lstmjax.formats.recoder import Recoder
from lstmjax.formats.weights import ADAM, DOUBLE, INT8, WeightMatrix

ONE_PIXEL_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


class NetworkMaker:
    """Builds nodes with consistent sizes and counts; `mode` and `training` set the weights."""

    def __init__(self, mode=DOUBLE | ADAM, training=1, flags=192, seed=0):
        self.mode, self.training, self.flags = mode, training, flags
        self.random = np.random.default_rng(seed)

    def matrix(self, rows, cols):
        if self.mode & INT8:
            weights = self.random.integers(-127, 128, (rows, cols), np.int8)
            return WeightMatrix(self.mode, weights, scales=self.random.random(rows), empty=(0.0,))
        draw = [self.random.standard_normal((rows, cols)) for _ in range(3)]
        if self.training != 1:
            return WeightMatrix(self.mode, draw[0])
        squares = np.abs(draw[2]) if self.mode & ADAM else None
        return WeightMatrix(self.mode, draw[0], updates=draw[1], dw_sq_sum=squares)

    def node(self, kind, num_in, num_out, **payload):
        below = [*payload.get("children", ())]
        below += [payload["softmax"]] if "softmax" in payload else []
        own = [*payload.get("gates", ())]
        own += [payload["weights"]] if "weights" in payload else []
        total = sum(m.weights.size for m in own) + sum(child.num_weights for child in below)
        name = payload.pop("name", kind)
        return NetworkNode(
            kind, self.training, 1, self.flags, num_in, num_out, total, name, **payload
        )

    def input(self, height, depth):
        return self.node("Input", height, depth, shape=(1, height, 0, depth, 1))

    def convolve(self, num_in, half_x, half_y):
        num_out = num_in * (2 * half_x + 1) * (2 * half_y + 1)
        return self.node("Convolve", num_in, num_out, half=(half_x, half_y))

    def maxpool(self, num_in, x, y):
        return self.node("Maxpool", num_in, num_in, scale=(x, y))

    def reconfig(self, num_in, x, y):
        return self.node("Reconfig", num_in, num_in * x * y, scale=(x, y))

    def dense(self, num_in, num_out, kind="Softmax"):
        return self.node(kind, num_in, num_out, weights=self.matrix(num_out, num_in + 1))

    def lstm(self, num_in, states, kind="LSTM", two_d=False, classes=0):
        feedback = {"LSTMSoftmax": classes, "LSTMBinarySoftmax": (classes - 1).bit_length()}
        na = num_in + states * (2 if two_d else 1) + feedback.get(kind, 0)
        payload = {"na": na, "gates": [self.matrix(states, na + 1) for _ in range(4 + two_d)]}
        payload["gates"] = tuple(payload["gates"])
        if kind in feedback:
            payload["softmax"] = self.dense(states, classes)
            return self.node(kind, num_in, classes, **payload)
        return self.node(kind, num_in, states, **payload)

    def plumbing(self, kind, *children):
        num_in, num_out = children[0].num_in, children[-1].num_out
        if kind in PARALLEL:
            num_out = sum(child.num_out for child in children)
        rates = tuple(float(np.float32(0.001 / (i + 1))) for i in range(len(children)))
        return self.node(
            kind, num_in, num_out, children=children,
            learning_rates=rates if self.flags & 64 else None,
        )  # fmt: skip

    def every_kind(self):
        """A network with every kind of layer in it."""
        quad = self.plumbing("Par2dLSTM", *(self.lstm(4, 2, two_d=True) for _ in range(4)))
        backward = self.plumbing("RTLReversed", self.lstm(8, 3))
        return self.plumbing(
            "Series",
            self.input(20, 1),
            self.plumbing("Series", self.convolve(1, 1, 1), self.dense(9, 4, "Tanh")),
            self.maxpool(4, 2, 2),
            quad,
            self.plumbing("XYTranspose", self.lstm(8, 8, "SummLSTM")),
            self.plumbing("ParBidiLSTM", self.lstm(8, 3), backward),
            self.plumbing("Replicated", self.lstm(6, 1), self.lstm(6, 1)),
            self.plumbing("TTBReversed", self.dense(2, 3, "Relu")),
            self.plumbing("Parallel", self.dense(3, 2, "Logistic"), self.dense(3, 2, "Linear")),
            self.reconfig(4, 1, 2),
            self.lstm(8, 2, "LSTMBinarySoftmax", classes=5),
            self.lstm(5, 2, "LSTMSoftmax", classes=5),
        )


@st.composite
def networks(draw):
    """Draw a consistent network with an Input and one to four further layers."""
    mode, training = draw(
        st.sampled_from([(DOUBLE | ADAM, 1), (DOUBLE, 1), (DOUBLE, 2), (DOUBLE | INT8, 0)])
    )
    maker = NetworkMaker(mode, training, draw(st.sampled_from([0, 64, 128, 192])))
    sizes = st.integers(1, 5)
    layers = [maker.input(draw(sizes), draw(sizes))]
    for _ in range(draw(st.integers(1, 4))):
        depth, size = layers[-1].num_out, draw(sizes)
        choice = draw(st.sampled_from(["dense", "lstm", "lstm2d", "pool", "reversed", "parallel"]))
        layer = {
            "dense": lambda d=depth, s=size: maker.dense(d, s, "Tanh"),
            "lstm": lambda d=depth, s=size: maker.lstm(d, s, "SummLSTM"),
            "lstm2d": lambda d=depth, s=size: maker.lstm(d, s, two_d=True),
            "pool": lambda d=depth, s=size: maker.maxpool(d, s, s),
            "reversed": lambda d=depth, s=size: maker.plumbing(
                sorted(REVERSED)[s % 3], maker.lstm(d, s)
            ),
            "parallel": lambda d=depth, s=size: maker.plumbing(
                "Parallel", maker.lstm(d, s), maker.dense(d, s)
            ),
        }[choice]()
        layers.append(layer)
    return maker.plumbing("Series", *layers)


def recognizer(network=None, **changes):
    """A recognizer around a network, by default one with every kind of layer."""
    network = network or NetworkMaker().every_kind()
    int_mode = any(matrix.int_mode for node in network.walk() for matrix in node.matrices)
    fields = {
        "network": network,
        "spec": "[1,20,0,1 ... O1c1]",
        "training_flags": RECODED | (INT_MODE if int_mode else 0),
        "training_iteration": 10,
        "sample_iteration": 12,
        "null_char": network.num_out - 1,
        "adam_beta": float(np.float32(0.999)),
        "learning_rate": float(np.float32(0.001)),
        "momentum": 0.5,
    }
    return Recognizer(**{**fields, **changes})


def record(amount=FULL, **changes) -> TrainerRecord:
    """A checkpoint, by default a FULL one without nested dumps."""
    fields = {
        "recognizer": recognizer(),
        "learning_iteration": 9,
        "prev_sample_iteration": 8,
        "perfect_delay": 0,
        "last_perfect_training_iteration": 3,
        "error_buffers": np.arange(5000.0).reshape(5, 1000) / 5000,
        "error_rates": (0.5, 1.0, 10.0, 3.25, 0.0),
        "training_stage": 1,
        "amount": amount,
    }
    if amount != LIGHT:
        fields |= {
            "best_error_rate": 3.25,
            "best_error_history": np.array([99.5, 3.25]),
            "best_error_iterations": np.array([2, 9], np.int32),
            "improvement_steps": 7,
        }
    return TrainerRecord(**{**fields, **changes})


def recoder_of(num_codes):
    """A recoder with one code a unichar."""
    return Recoder(tuple((code,) for code in range(num_codes)))


def page(text="ab", boxes=2, **changes):
    """A page with a one-pixel image."""
    fields = {
        "name": "",
        "page_number": 0,
        "image": ONE_PIXEL_PNG,
        "language": "",
        "transcription": text,
        "boxes": np.arange(4 * boxes, dtype=np.int16).reshape(boxes, 4),
        "box_texts": tuple("ab"[i % 2] for i in range(boxes)) or (text,),
    }
    return Page(**{**fields, **changes})


UNICHARSET = """\
5
NULL 0 Common 0
Joined 7 0,255,0,255,0,0,0,0,0,0 Latin 1 0 1 Joined\t# Joined [4a 6f 69 6e 65 64 ]a
|Broken|0|1 f 0,255,0,255,0,0,0,0,0,0 Common 2 10 2 |Broken|0|1\t# Broken
é 3 61,68,188,216,95,1.5,12,0,112,1e-06 Latin 4 0 3 é\t# é [e9 ]a
, 10 0,40,50,99,1,0,0,0,0,0 Common 4 6 4 ,\t# , [2c ]p
""".encode()

TINY_DAWG = struct.pack("<hii5Q", 42, 10, 5, 0x1C3, 0x204, 0x196, 0x54, 0x56)
"""The words 3, 3 4, 4 6, 6 4 over a unicharset of 10."""
