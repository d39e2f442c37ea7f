"""Writes tests/fuzz/safetensors/, the seed corpus of the fuzzer, with the Python library of the format.

    pip install safetensors torch numpy; python tests/reference/safetensors_corpus.py tests/fuzz/safetensors
"""
import json
import struct
import sys
from pathlib import Path

import numpy
import torch
from safetensors.numpy import save
from safetensors.torch import save as save_torch

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
dense = {"dense.weight": numpy.arange(6, dtype=numpy.float32).reshape(3, 2), "dense.bias": numpy.ones(3, numpy.float32)}


def raw(header, values=b""):
    """A file with any header, valid or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


files = {
    "params": save(dense),
    "params_text": save(dense, {"classes": "cat,dog", "näme": "\"\\"}),
    "params_double": save({name: value.astype(numpy.float64) for name, value in dense.items()}),
    "params_half": save_torch({name: torch.from_numpy(value).half() for name, value in dense.items()}),
    "params_bfloat": save_torch({name: torch.from_numpy(value).bfloat16() for name, value in dense.items()}),
    "integers": save({"a": numpy.arange(5, dtype=numpy.int32), "b": numpy.zeros((2, 0, 3), numpy.uint8),
                      "c": numpy.array(7, dtype=numpy.int64), "d": numpy.array([True, False])}),
    "empty": save({}),
    "spaces": raw(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}      ', b"\0\0\x80\x3f"),
    "hole": raw({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
    "overlap": raw({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                    "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}}, bytes(6)),
    "huge": raw({"a": {"dtype": "F64", "shape": [2 ** 31, 2 ** 31], "data_offsets": [0, 2 ** 63 - 8]}}, bytes(8)),
    "twice": raw(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
                 b"\0"),
    "long_header": struct.pack("<Q", 2 ** 40) + b"{}",
}
for name, content in files.items():
    (folder / name).write_bytes(content)
