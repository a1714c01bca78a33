"""Functions of each element."""

from __future__ import annotations

from designer.importers.torch_ops.table import same

for name, kind in {
    "exp": "Exp",
    "expm1": "Expm1",
    "log": "Log",
    "log2": "Log2",
    "log10": "Log10",
    "log1p": "Log1p",
    "sqrt": "Sqrt",
    "rsqrt": "Rsqrt",
    "reciprocal": "Reciprocal",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "atan": "Atan",
    "arctan": "Atan",
    "erf": "Erf",
    "square": "Square",
    "abs": "Abs",
    "absolute": "Abs",
    "neg": "Neg",
    "negative": "Neg",
    "sign": "Sign",
    "floor": "Floor",
    "ceil": "Ceil",
    "trunc": "Trunc",
    "fix": "Trunc",
    "isnan": "IsNaN",
    "logical_not": "LogicalNot",
    "real": "RealPart",
    "imag": "ImaginaryPart",
}.items():
    same(kind, f"torch.{name}(input)")

same("Round", "torch.round(input, *, decimals: only = 0)")
same("NanToNum", "torch.nan_to_num(input, nan=0.0, posinf=None, neginf=None)")
same("Clamp", "torch.clamp(input, min=None, max=None)", "torch.clip(input, min=None, max=None)")
same("Clamp", "torch.clamp_min(input, min)", "torch.clamp_max(input, max)", min=None)
