"""Distances and similarities of vectors."""

from __future__ import annotations

from designer.importers.torch_ops.table import same

same("CosineSimilarity", "F.cosine_similarity(x1, x2, dim=1, eps=1e-08)")
same("PairwiseDistance", "F.pairwise_distance(x1, x2, p=2.0, eps=1e-06, keepdim=False)")
