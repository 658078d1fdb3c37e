"""Training: batches, losses, the trainer, checkpoints."""
