"""Weights that tests make for themselves: numpy arrays in the safetensors layout."""
import json
import struct

import numpy as np


def write_safetensors(path, tensors):
    """float32 arrays by name: the length of a JSON header, the header, the data (github.com/huggingface/safetensors)."""
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def johnson_network(seed):
    """The transformation network of Johnson et al. 2016 by the names of pytorch/examples fast_neural_style, with random weights.

    The last convolution is scaled and shifted so that its pictures span the usual range around 128 of 255.
    """
    random = np.random.default_rng(seed)
    tensors = {}

    def convolution(name, inputs, outputs, side):
        tensors[f"{name}.conv2d.weight"] = random.normal(0, (inputs * side * side) ** -0.5, (outputs, inputs, side, side))
        tensors[f"{name}.conv2d.bias"] = random.normal(0, 1, outputs)

    def norm(name, channels):
        tensors[f"{name}.weight"] = random.uniform(0.5, 1.5, channels)
        tensors[f"{name}.bias"] = random.normal(0, 0.3, channels)

    channels = (3, 32, 64, 128)
    for i in (1, 2, 3):
        convolution(f"conv{i}", channels[i - 1], channels[i], 9 if i == 1 else 3)
        norm(f"in{i}", channels[i])
        convolution(f"deconv{i}", channels[4 - i], channels[3 - i], 9 if i == 3 else 3)
        if i < 3:
            norm(f"in{i + 3}", channels[3 - i])
    for block in range(1, 6):
        for half in (1, 2):
            convolution(f"res{block}.conv{half}", 128, 128, 3)
            norm(f"res{block}.in{half}", 128)
    tensors["deconv3.conv2d.weight"] *= 40
    tensors["deconv3.conv2d.bias"][:] = 128
    return tensors


def johnson_weights(path, seed=1):
    return write_safetensors(path, johnson_network(seed))
