"""Small model files written by the Python library of safetensors, from NumPy and from PyTorch.

    cd tests/reference && python model_files.py

Made with safetensors 0.8, NumPy 2 and PyTorch 2.13. The values are exact in their types; tests/test_safetensors.c knows
them as formulas."""
import numpy
import safetensors.numpy
import safetensors.torch
import torch

safetensors.numpy.save_file(
    {
        "bias": numpy.arange(3, dtype="float32") / 4 - 1,                       # -1, -0.75, -0.5
        "weight": (numpy.arange(6, dtype="float32") / 8).reshape(2, 3),         # 0, 1/8, ..., 5/8
    },
    "safetensors/numpy_f32.safetensors",
    metadata={"classes": "Katze, \"Hund\"\nÄffchen"},
)

safetensors.numpy.save_file(
    {
        "f64": numpy.array([1 / 3, -1e300, 5e-324, numpy.inf, numpy.nan]),
        "i32": numpy.array([[-2147483648, 2147483647], [0, 7]], dtype="int32"),
        "u8": numpy.array([0, 255, 3], dtype="uint8"),
        "flag": numpy.array([True, False]),
        "empty": numpy.zeros((0, 4), dtype="float32"),
    },
    "safetensors/numpy_types.safetensors",
)

halves = torch.tensor([0.0, -0.0, 1.0, -2.0, 65504.0, 2.0**-14, 2.0**-24, -3 * 2.0**-24, float("inf"), float("nan")])
brains = torch.tensor([0.0, -0.0, 1.0, -2.0, 3.0 * 2**126, 2.0**-126, 2.0**-133, -3 * 2.0**-133, float("-inf"),
                       float("nan")])
safetensors.torch.save_file(
    {"half": halves.to(torch.float16), "brain": brains.to(torch.bfloat16), "scalar": torch.tensor(2.5)},
    "safetensors/torch_halves.safetensors",
)

layer = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
with torch.no_grad():
    for p in layer.parameters():                                                # 0, 1/16, 2/16, ... in each
        p.copy_((torch.arange(p.numel()) / 16).reshape(p.shape))
safetensors.torch.save_model(layer, "safetensors/torch_model.safetensors")
