"""Pooling as functions."""

from __future__ import annotations

from designer.importers.torch_ops.table import same

for axes in (1, 2, 3):
    same(
        f"MaxPool{axes}d",
        f"F.max_pool{axes}d(input, kernel_size, stride=None, padding=0, dilation=1,"
        " ceil_mode=False, return_indices=False)",
    )
    override = ", divisor_override=None" if axes > 1 else ""
    same(
        f"AvgPool{axes}d",
        f"F.avg_pool{axes}d(input, kernel_size, stride=None, padding=0, ceil_mode=False,"
        f" count_include_pad=True{override})",
    )
    same(f"AdaptiveAvgPool{axes}d", f"F.adaptive_avg_pool{axes}d(input, output_size)")
    same(
        f"AdaptiveMaxPool{axes}d",
        f"F.adaptive_max_pool{axes}d(input, output_size, return_indices=False)",
    )

for axes in (2, 3):
    same(
        f"FractionalMaxPool{axes}d",
        f"nn.FractionalMaxPool{axes}d(kernel_size, output_size=None, output_ratio=None,"
        " return_indices=False, _random_samples: _ = None)",
    )
