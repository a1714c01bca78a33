"""Dropouts as functions; whether they act is up to the mode that the model is in."""

from __future__ import annotations

from designer.importers.torch_ops.table import same

ARGUMENTS = "(input, p=0.5, training: _ = True, inplace: _ = False)"

same("Dropout", f"F.dropout{ARGUMENTS}")
same("Dropout1d", f"F.dropout1d{ARGUMENTS}")
same("Dropout2d", f"F.dropout2d{ARGUMENTS}")
same("Dropout3d", f"F.dropout3d{ARGUMENTS}")
same("AlphaDropout", f"F.alpha_dropout{ARGUMENTS}")
same("FeatureAlphaDropout", f"F.feature_alpha_dropout{ARGUMENTS}")
