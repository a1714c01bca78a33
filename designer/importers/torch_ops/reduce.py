"""Operations that make one value of many."""

from __future__ import annotations

from designer.importers.torch_ops.table import same

same("Mean", "torch.mean(input, dim=None, keepdim=False, *, dtype: only = None)")
