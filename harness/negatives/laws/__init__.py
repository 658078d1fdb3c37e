"""Laws: how candidates are weighted. One small file each, a pure function of `Candidates`."""
