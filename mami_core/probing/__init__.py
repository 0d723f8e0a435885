"""Look further into a unit: similarity, maps, ablation, feature visualisation."""
