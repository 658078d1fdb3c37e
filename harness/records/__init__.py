"""Records: the run folder, its mirror in MLflow, the environment."""
