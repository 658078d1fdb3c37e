"""Laws: how candidates weigh. One small file each, a pure function of `Candidates`."""
