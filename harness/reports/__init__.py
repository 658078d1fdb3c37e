"""Reports: everything that is rendered from `cells.json`, without training."""
