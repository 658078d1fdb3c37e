"""What was made elsewhere, measured here: checkpoints, and run files of other systems."""
