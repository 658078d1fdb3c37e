"""Sources: where candidates come from. One small file each."""
